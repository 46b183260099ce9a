-- Users, sessions, documents and chunks: the tables as `schema.prisma` says them, and around them what keeps them right
-- whoever writes: our server, a worker in another language, or a person with psql.

-- An id that sorts by the time it was made (RFC 9562, version 7). PostgreSQL has its own only from 18 on.
CREATE FUNCTION "uuid_v7"() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) PLACING
        substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1), 'hex')::uuid
$$;

-- Lower case without accents, for matching titles: 'Người Đẹp' and its decomposed twin both become 'nguoi dep'.
-- The collation is named because lower() must not depend on how the database was made; σ has one form, wherever it
-- stands, and the letters after it are capitals that the collation's library knows in some versions only.
CREATE FUNCTION "fold"(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT lower(translate(regexp_replace(normalize(value, NFD), '[\u0300-\u036f]', '', 'g'),
    'đĐςΣᲉᲐᲑᲒᲓᲔᲕᲖᲗᲘᲙᲚᲛᲜᲝᲞᲟᲠᲡᲢᲣᲤᲥᲦᲧᲨᲩᲪᲫᲬᲭᲮᲯᲰᲱᲲᲳᲴᲵᲶᲷᲸᲹᲺᲽᲾᲿ',
    'ddσσᲊაბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰჱჲჳჴჵჶჷჸჹჺჽჾჿ') COLLATE "und-x-icu")
$$;

-- Parts of words, for finding titles that were typed with a mistake.
CREATE EXTENSION IF NOT EXISTS "pg_trgm";

-- Words of any language, accents removed, no stemming: 'nguoi' finds 'người', and ts_headline marks the original.
CREATE EXTENSION IF NOT EXISTS "unaccent";
CREATE TEXT SEARCH CONFIGURATION "lectern" (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION "lectern"
  ALTER MAPPING FOR asciihword, asciiword, hword, hword_asciipart, hword_part, word WITH unaccent, simple;

-- CreateEnum
CREATE TYPE "role" AS ENUM ('VIEWER', 'EDITOR', 'ADMIN');

-- CreateEnum
CREATE TYPE "document_status" AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED');

-- CreateEnum
CREATE TYPE "visibility" AS ENUM ('PRIVATE', 'SHARED');

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" "role" NOT NULL DEFAULT 'VIEWER',
    "password_hash" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "user_id" UUID NOT NULL,
    "refresh_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "refreshed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "documents" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "owner_id" UUID NOT NULL,
    "title" TEXT COLLATE "und-x-icu" NOT NULL,
    "title_folded" TEXT NOT NULL GENERATED ALWAYS AS (fold("title")) STORED,
    "visibility" "visibility" NOT NULL DEFAULT 'PRIVATE',
    "status" "document_status" NOT NULL DEFAULT 'PENDING',
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
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE INDEX "users_created_at_id_idx" ON "users"("created_at", "id");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

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

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "documents" ADD CONSTRAINT "documents_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_document_id_fkey" FOREIGN KEY ("document_id") REFERENCES "documents"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What a row must always be.
ALTER TABLE "users"
  ADD CONSTRAINT "users_email_normal" CHECK ("email" = lower(btrim("email")) AND "email" LIKE '%_@_%' AND length("email") <= 254),
  ADD CONSTRAINT "users_name_length" CHECK (length(btrim("name")) BETWEEN 1 AND 200);
ALTER TABLE "documents"
  ADD CONSTRAINT "documents_title_length" CHECK (length(btrim("title")) BETWEEN 1 AND 500),
  ADD CONSTRAINT "documents_text_not_empty" CHECK ("text" <> ''),
  ADD CONSTRAINT "documents_has_source" CHECK ("text" IS NOT NULL OR "storage_key" IS NOT NULL),
  ADD CONSTRAINT "documents_text_when_completed" CHECK ("status" <> 'COMPLETED' OR "text" IS NOT NULL),
  ADD CONSTRAINT "documents_progress_share" CHECK ("progress" BETWEEN 0 AND 1),
  ADD CONSTRAINT "documents_claimed_while_processing" CHECK (
    "status" <> 'PROCESSING' OR ("claimed_by" IS NOT NULL AND "claim_token" IS NOT NULL AND "lease_until" IS NOT NULL)),
  ADD CONSTRAINT "documents_failure_said" CHECK ("status" <> 'FAILED' OR "failure" IS NOT NULL);
ALTER TABLE "chunks"
  ADD CONSTRAINT "chunks_offsets_in_order" CHECK ("start_offset" >= 0 AND "end_offset" > "start_offset"),
  ADD CONSTRAINT "chunks_index_not_negative" CHECK ("index" >= 0);

-- The queue's two questions: what may be claimed, and which leases have ended.
CREATE INDEX "documents_claimable_idx" ON "documents"("next_attempt_at", "id") WHERE "status" = 'PENDING';
CREATE INDEX "documents_leased_idx" ON "documents"("lease_until") WHERE "status" = 'PROCESSING';

-- Every write raises the version and the time, whoever writes and whatever it says of them.
CREATE FUNCTION "raise_version"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.updated_at := now();
  RETURN NEW;
END
$$;
CREATE TRIGGER "users_version" BEFORE UPDATE ON "users" FOR EACH ROW EXECUTE FUNCTION "raise_version"();
CREATE TRIGGER "documents_version" BEFORE UPDATE ON "documents" FOR EACH ROW EXECUTE FUNCTION "raise_version"();

-- The moves of a document, and no others.
CREATE FUNCTION "guard_document_status"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'PENDING' THEN
      RAISE EXCEPTION 'a new document is PENDING, not %', NEW.status USING ERRCODE = 'LT001';
    END IF;
    RETURN NEW;
  END IF;
  IF (OLD.status, NEW.status) NOT IN (
    ('PENDING', 'PROCESSING'), ('PROCESSING', 'COMPLETED'), ('PROCESSING', 'FAILED'), ('PROCESSING', 'PENDING'),
    ('FAILED', 'PENDING'), ('COMPLETED', 'PENDING')
  ) THEN
    RAISE EXCEPTION 'document % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'LT001';
  END IF;
  -- The functions below run as the owner of the table; nobody else says that work has begun or is done.
  IF NEW.status IN ('PROCESSING', 'COMPLETED')
     AND NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
    RAISE EXCEPTION 'document % becomes % by claim_documents() and complete_document() only', OLD.id, NEW.status
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF OLD.status IN ('COMPLETED', 'FAILED') THEN
    -- To be processed again, as if it had just come in: at the end of the queue, with all its attempts.
    NEW.attempts := 0;
    NEW.progress := 0;
    NEW.failure := NULL;
    NEW.claimed_by := NULL;
    NEW.claim_token := NULL;
    NEW.lease_until := NULL;
    NEW.processed_at := NULL;
    NEW.next_attempt_at := now();
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER "documents_status_new" BEFORE INSERT ON "documents"
  FOR EACH ROW EXECUTE FUNCTION "guard_document_status"();
CREATE TRIGGER "documents_status_move" BEFORE UPDATE OF "status" ON "documents"
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION "guard_document_status"();

-- Wakes waiting workers when the transaction commits; they also look by themselves now and then.
CREATE FUNCTION "notify_documents_pending"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NOTIFY documents_pending;
  RETURN NULL;
END
$$;
CREATE TRIGGER "documents_pending_new" AFTER INSERT ON "documents"
  FOR EACH STATEMENT EXECUTE FUNCTION "notify_documents_pending"();
CREATE TRIGGER "documents_pending_again" AFTER UPDATE OF "status" ON "documents"
  FOR EACH ROW WHEN (NEW.status = 'PENDING') EXECUTE FUNCTION "notify_documents_pending"();

-- The worker contract (docs/workers.md). A claim is a lease with a token; whoever lost the lease changes nothing. The
-- functions run as the owner of the tables: who may call them needs no right to write.

-- Takes up to `count` documents for `worker` until the lease ends, oldest first, skipping what others are taking. With
-- `formats`, only documents of these MIME types. A document with a `storage_key` has its original in the file store.
-- As a plain sub-select the choice may be planned as the inner side of a loop, and then takes more at each turn. The
-- time is rounded as the column rounds it, or a document that was made in this millisecond would still lie ahead.
CREATE FUNCTION "claim_documents"(worker text, count integer, lease interval, formats text[] DEFAULT NULL)
RETURNS TABLE (id uuid, claim uuid, attempt integer, mime_type text, title text, "text" text, storage_key text)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH next AS MATERIALIZED (
    SELECT p.id FROM documents p
    WHERE p.status = 'PENDING' AND p.next_attempt_at <= now()::timestamptz(3)
      AND (formats IS NULL OR p.mime_type = ANY (formats))
    ORDER BY p.next_attempt_at, p.id
    LIMIT count
    FOR UPDATE SKIP LOCKED
  )
  UPDATE documents d
  SET status = 'PROCESSING', claimed_by = worker, claim_token = gen_random_uuid(), lease_until = now() + lease,
      attempts = d.attempts + 1, progress = 0, failure = NULL
  FROM next
  WHERE d.id = next.id
  RETURNING d.id, d.claim_token, d.attempts, d.mime_type, d.title, d.text, d.storage_key
$$;

-- What a function of the contract answers when a claim does not stand: false. A notice says which state, worker and
-- claim the call met; it reaches the caller, so that a worker can log it and a person with psql can read it.
CREATE FUNCTION "explain_lost_claim"(call text, document uuid, claim uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  met documents;
BEGIN
  SELECT * INTO met FROM documents d WHERE d.id = document;
  IF NOT FOUND THEN
    RAISE NOTICE '% by claim % changed nothing: there is no document %', call, claim, document;
  ELSIF met.claim_token IS NULL THEN
    RAISE NOTICE '% by claim % changed nothing: document % is % after % attempt(s), claimed by nobody',
      call, claim, document, met.status, met.attempts;
  ELSE
    RAISE NOTICE '% by claim % changed nothing: document % is % in attempt %, claimed by worker % with claim %',
      call, claim, document, met.status, met.attempts, met.claimed_by, met.claim_token;
  END IF;
  RETURN false;
END
$$;
REVOKE EXECUTE ON FUNCTION "explain_lost_claim"(text, uuid, uuid) FROM PUBLIC;

-- Lengthens the lease and says how far the work is (0 to 1). False: the claim is lost, stop working.
CREATE FUNCTION "extend_lease"(document uuid, claim uuid, lease interval, progress double precision DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE documents d SET lease_until = now() + lease, progress = coalesce(extend_lease.progress, d.progress)
  WHERE d.id = document AND d.status = 'PROCESSING' AND d.claim_token = claim;
  RETURN CASE WHEN FOUND THEN true ELSE explain_lost_claim('extend_lease', document, claim) END;
END
$$;

-- Replaces the document's chunks by a new generation and completes it, in one step. `chunks` is a JSON array of
-- {"text", "startOffset", "endOffset", "tokenCount"} in order. `text` is what was read from the original file; where
-- there is none, the document's text stays. True when this claim's work stands, also when it
-- already stood; false when the claim was lost, and then nothing changed.
CREATE FUNCTION "complete_document"(document uuid, claim uuid, chunks jsonb, "text" text DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  current documents;
BEGIN
  SELECT * INTO current FROM documents d WHERE d.id = document FOR UPDATE;
  IF current.claim_token = claim AND current.status = 'COMPLETED' THEN
    RETURN true;
  END IF;
  IF current.claim_token IS DISTINCT FROM claim OR current.status <> 'PROCESSING' THEN
    RETURN explain_lost_claim('complete_document', document, claim);
  END IF;
  DELETE FROM chunks c WHERE c.document_id = document;
  INSERT INTO chunks (document_id, generation, index, text, start_offset, end_offset, token_count)
  SELECT document, current.generation + 1, item.place - 1, item.chunk->>'text', (item.chunk->>'startOffset')::int,
         (item.chunk->>'endOffset')::int, (item.chunk->>'tokenCount')::int
  FROM jsonb_array_elements(complete_document.chunks) WITH ORDINALITY AS item(chunk, place);
  UPDATE documents d
  SET status = 'COMPLETED', text = coalesce(complete_document.text, d.text), generation = d.generation + 1,
      progress = 1, lease_until = NULL, processed_at = now()
  WHERE d.id = document;
  RETURN true;
END
$$;

-- Ends an attempt without a result: PENDING again after a pause that doubles, or FAILED after `max_attempts`.
CREATE FUNCTION "fail_document"(document uuid, claim uuid, reason text, max_attempts integer DEFAULT 5)
RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE documents d
  SET status = CASE WHEN d.attempts >= max_attempts THEN 'FAILED'::document_status ELSE 'PENDING' END,
      failure = reason, progress = 0, claimed_by = NULL, claim_token = NULL, lease_until = NULL,
      next_attempt_at = now() + interval '1 second' * power(2, least(d.attempts, 10) - 1)
  WHERE d.id = document AND d.status = 'PROCESSING' AND d.claim_token = claim;
  RETURN CASE WHEN FOUND THEN true ELSE explain_lost_claim('fail_document', document, claim) END;
END
$$;

-- Ends the attempts whose lease is over: their worker is gone or too slow. Returns how many.
CREATE FUNCTION "release_expired_documents"(max_attempts integer DEFAULT 5) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH expired AS (
    SELECT d.id, d.claim_token, d.claimed_by FROM documents d
    WHERE d.status = 'PROCESSING' AND d.lease_until < now() ORDER BY d.id FOR UPDATE SKIP LOCKED
  )
  SELECT count(*) FILTER (
    WHERE fail_document(id, claim_token, 'The worker ' || claimed_by || ' did not finish in time.', max_attempts)
  )::integer FROM expired
$$;

-- Gives a claim back unharmed: a worker that stops does not use up an attempt.
CREATE FUNCTION "release_document"(document uuid, claim uuid) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE documents d
  SET status = 'PENDING', attempts = d.attempts - 1, progress = 0, claimed_by = NULL, claim_token = NULL,
      lease_until = NULL
  WHERE d.id = document AND d.status = 'PROCESSING' AND d.claim_token = claim;
  RETURN CASE WHEN FOUND THEN true ELSE explain_lost_claim('release_document', document, claim) END;
END
$$;

-- Who may call them is said in prisma/roles.sql.
REVOKE EXECUTE ON FUNCTION
  "claim_documents"(text, integer, interval, text[]), "extend_lease"(uuid, uuid, interval, double precision),
  "complete_document"(uuid, uuid, jsonb, text), "fail_document"(uuid, uuid, text, integer),
  "release_expired_documents"(integer), "release_document"(uuid, uuid)
FROM PUBLIC;
