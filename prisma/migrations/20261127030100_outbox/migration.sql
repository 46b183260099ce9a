-- The outbox: every change, in the order of the commits. Subscriptions replay it, and work that must follow a change even
-- if a process dies (removing a deleted document's file) follows it.

-- CreateTable
CREATE TABLE "outbox" (
    "position" BIGINT NOT NULL,
    "topic" TEXT NOT NULL,
    "row_id" UUID NOT NULL,
    "payload" JSONB NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("position")
);

-- CreateTable
CREATE TABLE "outbox_consumers" (
    "name" TEXT NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "outbox_consumers_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "outbox_row_id_position_idx" ON "outbox"("row_id", "position");

CREATE SEQUENCE "outbox_position";

-- Adds one event. Called by deferred triggers only: the lock is held from here to the end of the transaction, so
-- positions are given in the order of commits, and a reader that sees one event sees all before it. The lock costs little
-- beyond NOTIFY, for which PostgreSQL serializes commits anyway.
CREATE FUNCTION "add_to_outbox"(topic text, row_id uuid, payload jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('lectern outbox'));
  INSERT INTO outbox (position, topic, row_id, payload)
  VALUES (nextval('outbox_position'), add_to_outbox.topic, add_to_outbox.row_id, add_to_outbox.payload);
  PERFORM pg_notify('outbox', '');
END
$$;
REVOKE EXECUTE ON FUNCTION "add_to_outbox"(text, uuid, jsonb) FROM PUBLIC;

-- Creates triggers that record every change of a table in the outbox, by any program. Called by migrations.
--
--   topic    the topic of the events, which names one row of the table, such as `document`
--   payload  columns in the payload of an event, in camel case; for an update their old values, too, under `before`
--   watched  columns whose update is an event; inserting or deleting a row always is one
CREATE FUNCTION "record_changes"("table" text, topic text, payload text[], watched text[]) RETURNS void
LANGUAGE plpgsql AS $record_changes$
DECLARE
  names jsonb := jsonb_build_object(
    'table', "table",
    'topic', topic,
    'shown', (SELECT string_agg(format('%L, %s.%I', camel_case(c), '{row}', c), ', ') FROM unnest(payload) c),
    'old', (SELECT string_agg(format('OLD.%I', c), ', ') FROM unnest(watched) c),
    'new', (SELECT string_agg(format('NEW.%I', c), ', ') FROM unnest(watched) c));
BEGIN
  PERFORM run_template($template$
    CREATE FUNCTION "record_{topic}_change"() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      current {table};
    BEGIN
      IF TG_OP = 'DELETE' THEN current := OLD; ELSE current := NEW; END IF;
      PERFORM add_to_outbox('{topic}', current.id, jsonb_strip_nulls(jsonb_build_object(
        'change', CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'updated' ELSE 'deleted' END,
        {shown of current},
        'before', CASE TG_OP WHEN 'UPDATE' THEN jsonb_build_object({shown of OLD}) END)));
      RETURN NULL;
    END
    $$;
    CREATE CONSTRAINT TRIGGER "{table}_outbox" AFTER INSERT OR DELETE ON "{table}"
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "record_{topic}_change"();
    CREATE CONSTRAINT TRIGGER "{table}_outbox_update" AFTER UPDATE ON "{table}"
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION "record_{topic}_change"();
  $template$, names - 'shown' || jsonb_build_object(
    'shown of current', replace(names->>'shown', '{row}', 'current'),
    'shown of OLD', replace(names->>'shown', '{row}', 'OLD')));
END
$record_changes$;

-- Removes events older than `keep` that every consumer has followed. The newest of them stays as a mark: a reader that
-- asks for events after a position below the lowest one asks too late. Returns how many were removed.
CREATE FUNCTION "prune_outbox"(keep interval) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH mark AS (
    SELECT max(o.position) AS position FROM outbox o
    WHERE o.occurred_at < now() - keep
      AND o.position <= coalesce((SELECT min(c.position) FROM outbox_consumers c), o.position)
  ), removed AS (
    DELETE FROM outbox o USING mark WHERE o.position < mark.position RETURNING 1
  )
  SELECT count(*)::integer FROM removed
$$;
REVOKE EXECUTE ON FUNCTION "prune_outbox"(interval) FROM PUBLIC;

-- The consumer that removes the files of deleted rows.
INSERT INTO "outbox_consumers" ("name", "position") VALUES ('files', 0);

CREATE FUNCTION "grant_outbox_rights"() RETURNS void LANGUAGE sql AS $$
  GRANT SELECT ON outbox TO lectern_server;
  GRANT SELECT, UPDATE ("position") ON outbox_consumers TO lectern_server;
  GRANT EXECUTE ON FUNCTION prune_outbox(interval) TO lectern_server;
$$;
