-- Documents and their chunks. Documents are a queue: workers claim PENDING rows (docs/workers.md).

-- CreateEnum
CREATE TYPE "visibility" AS ENUM ('PRIVATE', 'SHARED');

-- CreateTable
CREATE TABLE "documents" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "owner_id" UUID NOT NULL,
    "title" TEXT COLLATE "und-x-icu" NOT NULL,
    "title_folded" TEXT NOT NULL GENERATED ALWAYS AS (fold("title")) STORED,
    "visibility" "visibility" NOT NULL DEFAULT 'PRIVATE',
    "status" "work_status" NOT NULL DEFAULT 'PENDING',
    "version" INTEGER NOT NULL DEFAULT 1,
    "mime_type" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "storage_key" TEXT,
    "text" TEXT,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "failure" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "progress" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "claimed_by" TEXT,
    "claim_token" UUID,
    "lease_until" TIMESTAMPTZ(3),
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "processed_at" TIMESTAMPTZ(3),

    CONSTRAINT "documents_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chunks" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "document_id" UUID NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "index" INTEGER NOT NULL,
    "text" TEXT NOT NULL,
    "start_offset" INTEGER NOT NULL,
    "end_offset" INTEGER NOT NULL,
    "token_count" INTEGER NOT NULL,
    "search" tsvector GENERATED ALWAYS AS (to_tsvector('lectern', lower(normalize("text", NFC) COLLATE "und-x-icu"))) STORED,
    "search_exact" tsvector GENERATED ALWAYS AS (to_tsvector('simple', lower(normalize("text", NFC) COLLATE "und-x-icu"))) STORED,

    CONSTRAINT "chunks_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "documents_owner_id_created_at_id_idx" ON "documents"("owner_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "documents_created_at_id_idx" ON "documents"("created_at", "id");

-- CreateIndex
CREATE INDEX "documents_updated_at_id_idx" ON "documents"("updated_at", "id");

-- CreateIndex
CREATE INDEX "documents_title_id_idx" ON "documents"("title", "id");

-- CreateIndex
CREATE INDEX "documents_status_created_at_id_idx" ON "documents"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "documents_owner_id_visibility_idx" ON "documents"("owner_id", "visibility");

-- CreateIndex
CREATE INDEX "documents_title_folded_idx" ON "documents" USING GIN ("title_folded" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "documents_storage_key_key" ON "documents"("storage_key");

-- CreateIndex
CREATE UNIQUE INDEX "documents_owner_id_sha256_key" ON "documents"("owner_id", "sha256");

-- CreateIndex
CREATE INDEX "chunks_search_idx" ON "chunks" USING GIN ("search");

-- CreateIndex
CREATE UNIQUE INDEX "chunks_document_id_index_key" ON "chunks"("document_id", "index");

-- CreateIndex
CREATE INDEX "chunks_search_exact_idx" ON "chunks" USING GIN ("search_exact");

-- AddForeignKey
ALTER TABLE "documents" ADD CONSTRAINT "documents_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_document_id_fkey" FOREIGN KEY ("document_id") REFERENCES "documents"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A document has a text or a file that holds it.
ALTER TABLE "documents"
  ADD CONSTRAINT "documents_title_length" CHECK (length(btrim("title")) BETWEEN 1 AND 500),
  ADD CONSTRAINT "documents_text_not_empty" CHECK ("text" <> ''),
  ADD CONSTRAINT "documents_has_source" CHECK ("text" IS NOT NULL OR "storage_key" IS NOT NULL),
  ADD CONSTRAINT "documents_text_when_completed" CHECK ("status" <> 'COMPLETED' OR "text" IS NOT NULL);

ALTER TABLE "chunks"
  ADD CONSTRAINT "chunks_offsets_in_order" CHECK ("start_offset" >= 0 AND "end_offset" > "start_offset"),
  ADD CONSTRAINT "chunks_index_not_negative" CHECK ("index" >= 0);

-- Stores the tsvectors out of line and uncompressed: filtering matches by document reads few pages, and only ranked rows
-- fetch their words.
ALTER TABLE "chunks" SET (toast_tuple_target = 128);
ALTER TABLE "chunks" ALTER COLUMN "search" SET STORAGE EXTERNAL, ALTER COLUMN "search_exact" SET STORAGE EXTERNAL;

CREATE TRIGGER "documents_version" BEFORE UPDATE ON "documents" FOR EACH ROW EXECUTE FUNCTION "raise_version"();

-- A document with a `storage_key` has its original in the file store.
SELECT make_queue('documents', 'document', ARRAY['mime_type', 'title', 'text', 'storage_key'], 'mime_type');

-- A heartbeat without new progress is no event.
SELECT record_changes('documents', 'document',
  ARRAY['owner_id', 'visibility', 'status', 'version', 'progress', 'claimed_by', 'claim_token', 'storage_key'],
  ARRAY['owner_id', 'title', 'visibility', 'status', 'progress', 'failure', 'generation', 'storage_key']);

-- Replaces the document's chunks by a new generation and completes the document, in one step. `chunks` is a JSON array of
-- {"text", "startOffset", "endOffset", "tokenCount"} in order. `text` is the text that was extracted from the original;
-- NULL keeps the document's text. True if the document was completed under this claim, now or before; false if the claim
-- is lost, and then nothing changed.
CREATE FUNCTION "complete_document"(document uuid, claim uuid, chunks jsonb, "text" text DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  checked text := check_document_claim(document, claim);
BEGIN
  IF checked <> 'HELD' THEN
    RETURN checked = 'DONE';
  END IF;
  DELETE FROM chunks c WHERE c.document_id = document;
  INSERT INTO chunks (document_id, generation, index, text, start_offset, end_offset, token_count)
  SELECT d.id, d.generation + 1, item.place - 1, item.chunk->>'text', (item.chunk->>'startOffset')::int,
         (item.chunk->>'endOffset')::int, (item.chunk->>'tokenCount')::int
  FROM documents d, jsonb_array_elements(complete_document.chunks) WITH ORDINALITY AS item(chunk, place)
  WHERE d.id = document;
  UPDATE documents d
  SET status = 'COMPLETED', text = coalesce(complete_document.text, d.text), generation = d.generation + 1
  WHERE d.id = document;
  RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION "complete_document"(uuid, uuid, jsonb, text) FROM PUBLIC;

-- The server may update the status, within the limits of the trigger, but no column that only workers write.
CREATE FUNCTION "grant_document_rights"() RETURNS void LANGUAGE sql AS $$
  GRANT SELECT, INSERT, DELETE, UPDATE ("title", "visibility", "status") ON documents TO lectern_server;
  GRANT SELECT ON chunks TO lectern_server;
  GRANT EXECUTE ON FUNCTION complete_document(uuid, uuid, jsonb, text) TO lectern_worker;
$$;
