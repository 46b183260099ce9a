-- What happened, in the order in which it was committed. Subscriptions replay it, and what must follow a change whatever
-- happens to our process (a deleted document's file) follows it.

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

-- Adds one event. Meant to be called by deferred triggers: from here to the end of its transaction nobody else adds any,
-- so positions are given in the order of commits, and whoever sees one sees all before it. The lock costs little beyond
-- the notification, for which PostgreSQL lets transactions commit one after the other anyway.
CREATE FUNCTION "add_to_outbox"(topic text, row_id uuid, payload jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('lectern outbox'));
  INSERT INTO outbox (position, topic, row_id, payload)
  VALUES (nextval('outbox_position'), add_to_outbox.topic, add_to_outbox.row_id, add_to_outbox.payload);
  PERFORM pg_notify('outbox', '');
END
$$;
REVOKE EXECUTE ON FUNCTION "add_to_outbox"(text, uuid, jsonb) FROM PUBLIC;

-- Every move, progress and change of a document, whoever makes it. `before` is what an update changed it from, with the
-- claim that a move ended.
CREATE FUNCTION "record_document_change"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  document documents;
BEGIN
  IF TG_OP = 'DELETE' THEN document := OLD; ELSE document := NEW; END IF;
  PERFORM add_to_outbox('document', document.id, jsonb_strip_nulls(jsonb_build_object(
    'change', CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'updated' ELSE 'deleted' END,
    'ownerId', document.owner_id,
    'visibility', document.visibility,
    'status', document.status,
    'version', document.version,
    'progress', document.progress,
    'worker', document.claimed_by,
    'claim', document.claim_token,
    'storageKey', document.storage_key,
    'before', CASE TG_OP WHEN 'UPDATE' THEN jsonb_build_object(
      'ownerId', OLD.owner_id, 'visibility', OLD.visibility, 'status', OLD.status, 'worker', OLD.claimed_by,
      'claim', OLD.claim_token) END)));
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER "documents_outbox" AFTER INSERT OR DELETE ON "documents"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "record_document_change"();
-- A heartbeat that says nothing new is no event.
CREATE CONSTRAINT TRIGGER "documents_outbox_update" AFTER UPDATE ON "documents"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((OLD.owner_id, OLD.title, OLD.visibility, OLD.status, OLD.progress, OLD.failure, OLD.generation, OLD.storage_key)
    IS DISTINCT FROM
    (NEW.owner_id, NEW.title, NEW.visibility, NEW.status, NEW.progress, NEW.failure, NEW.generation, NEW.storage_key))
  EXECUTE FUNCTION "record_document_change"();

-- Removes events older than `keep` that every consumer has followed. The newest of them stays as a mark: whoever asks
-- for what came after a position below the lowest one asks too late. Returns how many were removed.
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

-- The files of deleted documents are removed by whoever follows the outbox under this name.
INSERT INTO "outbox_consumers" ("name", "position") VALUES ('files', 0);
