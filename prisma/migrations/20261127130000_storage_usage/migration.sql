-- The ledger of the file store: the bytes of all files that rows name, and the limit. Triggers keep it, so it is right
-- whatever program writes the rows.

-- CreateTable
CREATE TABLE "storage_usage" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "used_bytes" BIGINT NOT NULL DEFAULT 0,
    "limit_bytes" BIGINT NOT NULL DEFAULT 10737418240,

    CONSTRAINT "storage_usage_pkey" PRIMARY KEY ("id")
);

ALTER TABLE "storage_usage"
  ADD CONSTRAINT "storage_usage_one_row" CHECK ("id" = 1),
  ADD CONSTRAINT "storage_usage_not_negative" CHECK ("used_bytes" >= 0 AND "limit_bytes" >= 0);
INSERT INTO "storage_usage" DEFAULT VALUES;

-- Adds bytes to the ledger, or takes them off if they are negative. Bytes beyond the limit fail with LT003, whose message is JSON, unless the transaction has set
-- lectern.is_storage_unlimited: a worker that replaces a file by a converted one is not refused.
CREATE FUNCTION "charge_storage"(bytes bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  met storage_usage;
BEGIN
  IF bytes = 0 THEN
    RETURN;
  END IF;
  UPDATE storage_usage u SET used_bytes = greatest(u.used_bytes + bytes, 0)
  WHERE bytes < 0 OR u.used_bytes + bytes <= u.limit_bytes
    OR current_setting('lectern.is_storage_unlimited', true) = 'on';
  IF NOT FOUND THEN
    SELECT * INTO met FROM storage_usage;
    RAISE EXCEPTION USING ERRCODE = 'LT003', MESSAGE = json_build_object(
      'usedBytes', met.used_bytes, 'neededBytes', bytes, 'limitBytes', met.limit_bytes)::text;
  END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION "charge_storage"(bigint) FROM PUBLIC;

-- Counts the files that a column names: those that are there already, and from now on each change of a row. Called by
-- migrations, once for each such column.
--
--   key   the column with the key of the file; NULL: there is none
--   size  the column with the file's bytes
CREATE FUNCTION "count_files"("table" text, key text, size text) RETURNS void LANGUAGE plpgsql AS $count_files$
BEGIN
  PERFORM run_template($template$
    ALTER TABLE "{table}"
      ADD CONSTRAINT "{table}_{key}_form" CHECK ("{key}" ~
        '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'),
      ADD CONSTRAINT "{table}_{key}_size" CHECK ("{key}" IS NULL OR ("{size}" IS NOT NULL AND "{size}" >= 0));

    UPDATE storage_usage u SET used_bytes = u.used_bytes + (
      SELECT coalesce(sum(t.{size}), 0) FROM {table} t WHERE t.{key} IS NOT NULL);

    CREATE FUNCTION "charge_{table}_{key}"() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      PERFORM charge_storage(
        CASE WHEN TG_OP <> 'DELETE' AND NEW.{key} IS NOT NULL THEN NEW.{size} ELSE 0 END
        - CASE WHEN TG_OP <> 'INSERT' AND OLD.{key} IS NOT NULL THEN OLD.{size} ELSE 0 END);
      RETURN NULL;
    END
    $$;
    -- Deferred, so that the ledger is locked by one commit after another and not by whole transactions. Named to fire after
    -- the trigger of the outbox: all transactions take both locks in the same order.
    CREATE CONSTRAINT TRIGGER "{table}_used_{key}" AFTER INSERT ON "{table}"
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.{key} IS NOT NULL)
      EXECUTE FUNCTION "charge_{table}_{key}"();
    CREATE CONSTRAINT TRIGGER "{table}_used_{key}_change" AFTER UPDATE ON "{table}"
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      WHEN ((OLD.{key}, OLD.{size}) IS DISTINCT FROM (NEW.{key}, NEW.{size}))
      EXECUTE FUNCTION "charge_{table}_{key}"();
    CREATE CONSTRAINT TRIGGER "{table}_used_{key}_no_more" AFTER DELETE ON "{table}"
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.{key} IS NOT NULL)
      EXECUTE FUNCTION "charge_{table}_{key}"();
  $template$, jsonb_build_object('table', "table", 'key', key, 'size', size));
END
$count_files$;

SELECT count_files('documents', 'storage_key', 'size_bytes');

CREATE FUNCTION "grant_storage_usage_rights"() RETURNS void LANGUAGE sql AS $$
  GRANT SELECT, UPDATE ("limit_bytes") ON storage_usage TO lectern_server
$$;
