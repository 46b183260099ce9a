-- Labels, and the first table of them: categories.

-- CreateTable
CREATE TABLE "categories" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "name" TEXT COLLATE "und-x-icu" NOT NULL,
    "name_folded" TEXT NOT NULL GENERATED ALWAYS AS (fold("name")) STORED,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "categories_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "categories_name_folded_key" ON "categories"("name_folded");

-- Makes a table one of labels, which editors keep and which other rows refer to. Called by migrations, once for each
-- table, as its owner.
--
--   table  has the columns of `categories`, with their types and defaults, and maybe more
--   noun   names one row, such as `category`
--   most   rows that it may have, because clients read all of them at once
--   own    columns that it has in addition, and that the server may change
CREATE FUNCTION "make_labels"("table" text, noun text, most integer, own text[] DEFAULT '{}') RETURNS void
LANGUAGE sql AS $make_labels$
  SELECT run_template($template$
    ALTER TABLE "{table}" ADD CONSTRAINT "{table}_name_length" CHECK (length(btrim("name")) BETWEEN 1 AND 200);

    CREATE TRIGGER "{table}_version" BEFORE UPDATE ON "{table}" FOR EACH ROW EXECUTE FUNCTION "raise_version"();

    CREATE FUNCTION "limit_{table}"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      -- Held to the end of the transaction: without it, two inserts would not count each other's rows.
      PERFORM pg_advisory_xact_lock(hashtext('limit_{table}'));
      IF (SELECT count(*) FROM {table}) > {most} THEN
        RAISE EXCEPTION 'there are {most} {table} already' USING ERRCODE = 'LT002';
      END IF;
      RETURN NULL;
    END
    $$;
    CREATE TRIGGER "{table}_limit" AFTER INSERT ON "{table}"
      FOR EACH STATEMENT EXECUTE FUNCTION "limit_{table}"();

    CREATE FUNCTION "grant_{noun}_rights"() RETURNS void LANGUAGE sql AS $$
      GRANT SELECT, INSERT, DELETE, UPDATE ({changed}) ON {table} TO lectern_server;
    $$;
  $template$, jsonb_build_object('table', "table", 'noun', noun, 'most', most,
    'changed', (SELECT string_agg(format('%I', changed), ', ') FROM unnest('{name}' || own) AS changed)))
$make_labels$;

SELECT make_labels('categories', 'category', 100);
