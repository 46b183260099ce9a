-- Whoever is told `false` by a function of the worker contract is told why as well: a notice says which state, worker
-- and claim the call met. It reaches the caller, so that a worker can log it and a person with psql can read it.

CREATE FUNCTION "explain_lost_claim"(call text, document uuid, claim uuid) RETURNS void LANGUAGE plpgsql AS $$
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
END
$$;
REVOKE EXECUTE ON FUNCTION "explain_lost_claim"(text, uuid, uuid) FROM PUBLIC;

-- The functions as they were, but for the explanation.
CREATE OR REPLACE FUNCTION "extend_lease"(document uuid, claim uuid, lease interval, progress double precision DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE documents d SET lease_until = now() + lease, progress = coalesce(extend_lease.progress, d.progress)
  WHERE d.id = document AND d.status = 'PROCESSING' AND d.claim_token = claim;
  IF NOT FOUND THEN
    PERFORM explain_lost_claim('extend_lease', document, claim);
    RETURN false;
  END IF;
  RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION "complete_document"(document uuid, claim uuid, chunks jsonb, "text" text DEFAULT NULL)
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
    PERFORM explain_lost_claim('complete_document', document, claim);
    RETURN false;
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

CREATE OR REPLACE FUNCTION "fail_document"(document uuid, claim uuid, reason text, max_attempts integer DEFAULT 5)
RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE documents d
  SET status = CASE WHEN d.attempts >= max_attempts THEN 'FAILED'::document_status ELSE 'PENDING' END,
      failure = reason, progress = 0, claimed_by = NULL, claim_token = NULL, lease_until = NULL,
      next_attempt_at = now() + interval '1 second' * power(2, least(d.attempts, 10) - 1)
  WHERE d.id = document AND d.status = 'PROCESSING' AND d.claim_token = claim;
  IF NOT FOUND THEN
    PERFORM explain_lost_claim('fail_document', document, claim);
    RETURN false;
  END IF;
  RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION "release_document"(document uuid, claim uuid) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE documents d
  SET status = 'PENDING', attempts = d.attempts - 1, progress = 0, claimed_by = NULL, claim_token = NULL,
      lease_until = NULL
  WHERE d.id = document AND d.status = 'PROCESSING' AND d.claim_token = claim;
  IF NOT FOUND THEN
    PERFORM explain_lost_claim('release_document', document, claim);
    RETURN false;
  END IF;
  RETURN true;
END
$$;

-- As it was, but that a move which ends a claim says which one it ended.
CREATE OR REPLACE FUNCTION "record_document_change"() RETURNS trigger
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
