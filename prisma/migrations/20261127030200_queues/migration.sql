-- The work contract (docs/workers.md), defined once for all queues. `make_queue` creates the functions, triggers, checks
-- and indexes of one table. They are named for its rows and contain no dynamic SQL.

-- CreateEnum
CREATE TYPE "work_status" AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED');

-- Makes a table a queue. Called by migrations, once for each table, as its owner.
--
--   table   has the columns id, status, failure, attempts, progress, claimed_by, claim_token, lease_until,
--           next_attempt_at and processed_at, with the types and defaults of `documents`, and raise_version()
--   noun    names one row, such as `document`
--   handed  columns that a claim returns in addition to id, claim and attempt
--   filter  a text column by which workers may filter: claim_…() has a parameter named by its plural; NULL: none
--
-- The table's own migration adds complete_…(), which begins with check_…_claim(), and grants it in grant_…_rights().
CREATE FUNCTION "make_queue"("table" text, noun text, handed text[], filter text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $make_queue$
DECLARE
  names jsonb := jsonb_build_object('table', "table", 'noun', noun,
    'filter parameter', CASE WHEN filter IS NULL THEN '' ELSE format(', %ss text[] DEFAULT NULL', filter) END,
    'filter condition', CASE WHEN filter IS NULL THEN ''
      ELSE format(' AND (%1$ss IS NULL OR p.%1$s = ANY (%1$ss))', filter) END,
    'claim types', 'text, integer, interval' || CASE WHEN filter IS NULL THEN '' ELSE ', text[]' END) || (
    SELECT jsonb_build_object(
      'handed types', coalesce(string_agg(
        format(', %I %s', h.name, coalesce(format_type(a.atttypid, a.atttypmod), 'text')), '' ORDER BY place), ''),
      'handed', coalesce(string_agg(format(', q.%I', h.name), '' ORDER BY place), ''))
    -- A name that is no column fails where claim_…() is created, with the column's name in the error.
    FROM unnest(handed) WITH ORDINALITY AS h(name, place)
    LEFT JOIN pg_attribute a ON a.attrelid = "table"::regclass AND a.attname = h.name);
BEGIN
  PERFORM run_template($template$
    ALTER TABLE "{table}"
      ADD CONSTRAINT "{table}_progress_share" CHECK ("progress" BETWEEN 0 AND 1),
      ADD CONSTRAINT "{table}_claimed_while_processing" CHECK ("status" <> 'PROCESSING'
        OR ("claimed_by" IS NOT NULL AND "claim_token" IS NOT NULL AND "lease_until" IS NOT NULL)),
      ADD CONSTRAINT "{table}_failure_said" CHECK ("status" <> 'FAILED' OR "failure" IS NOT NULL);

    -- For the two questions of a queue: which rows may be claimed, and which leases have ended.
    CREATE INDEX "{table}_claimable_idx" ON "{table}"("next_attempt_at", "id") WHERE "status" = 'PENDING';
    CREATE INDEX "{table}_leased_idx" ON "{table}"("lease_until") WHERE "status" = 'PROCESSING';

    -- The transitions of the status, and no others.
    CREATE FUNCTION "guard_{noun}_status"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'PENDING' THEN
          RAISE EXCEPTION 'a new {noun} is PENDING, not %', NEW.status USING ERRCODE = 'LT001';
        END IF;
        RETURN NEW;
      END IF;
      IF (OLD.status, NEW.status) NOT IN (
        ('PENDING', 'PROCESSING'), ('PROCESSING', 'COMPLETED'), ('PROCESSING', 'FAILED'), ('PROCESSING', 'PENDING'),
        ('FAILED', 'PENDING'), ('COMPLETED', 'PENDING')
      ) THEN
        RAISE EXCEPTION '{noun} % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'LT001';
      END IF;
      -- Only the functions below, which run as the owner of the table, may set these states.
      IF NEW.status IN ('PROCESSING', 'COMPLETED')
         AND NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
        RAISE EXCEPTION '{noun} % becomes % by claim_{table}() and complete_{noun}() only', OLD.id, NEW.status
          USING ERRCODE = 'insufficient_privilege';
      END IF;
      IF NEW.status = 'COMPLETED' THEN
        NEW.progress := 1;
        NEW.lease_until := NULL;
        NEW.processed_at := now();
      ELSIF OLD.status IN ('COMPLETED', 'FAILED') THEN
        -- Processed again like a new row: at the end of the queue, with all attempts.
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
    CREATE TRIGGER "{table}_status_new" BEFORE INSERT ON "{table}"
      FOR EACH ROW EXECUTE FUNCTION "guard_{noun}_status"();
    CREATE TRIGGER "{table}_status_change" BEFORE UPDATE OF "status" ON "{table}"
      FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION "guard_{noun}_status"();

    -- Wakes idle workers when the transaction commits. Workers poll as well.
    CREATE FUNCTION "notify_{table}_pending"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NOTIFY {table}_pending;
      RETURN NULL;
    END
    $$;
    CREATE TRIGGER "{table}_pending_new" AFTER INSERT ON "{table}"
      FOR EACH STATEMENT EXECUTE FUNCTION "notify_{table}_pending"();
    CREATE TRIGGER "{table}_pending_again" AFTER UPDATE OF "status" ON "{table}"
      FOR EACH ROW WHEN (NEW.status = 'PENDING') EXECUTE FUNCTION "notify_{table}_pending"();

    -- Claims up to `count` rows for `worker` until the lease ends, in the order in which they became due. Skips rows that
    -- other transactions are claiming.
    -- MATERIALIZED, because a plain subselect may be planned as the inner side of a loop, which would claim more rows in
    -- each iteration. The time is rounded like the column: a row that was inserted in this millisecond is due.
    CREATE FUNCTION "claim_{table}"(worker text, count integer, lease interval{filter parameter})
    RETURNS TABLE (id uuid, claim uuid, attempt integer{handed types})
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH next AS MATERIALIZED (
        SELECT p.id FROM {table} p
        WHERE p.status = 'PENDING' AND p.next_attempt_at <= now()::timestamptz(3){filter condition}
        ORDER BY p.next_attempt_at, p.id
        LIMIT count
        FOR UPDATE SKIP LOCKED
      )
      UPDATE {table} q
      SET status = 'PROCESSING', claimed_by = worker, claim_token = gen_random_uuid(), lease_until = now() + lease,
          attempts = q.attempts + 1, progress = 0, failure = NULL
      FROM next
      WHERE q.id = next.id
      RETURNING q.id, q.claim_token, q.attempts{handed}
    $$;

    -- Returns false, the result of a function whose claim is lost, and raises a notice with the row's state, worker and
    -- claim, for the worker's log or for psql.
    CREATE FUNCTION "explain_lost_{noun}_claim"(call text, {noun} uuid, claim uuid) RETURNS boolean
    LANGUAGE plpgsql AS $$
    DECLARE
      met {table};
    BEGIN
      SELECT * INTO met FROM {table} q WHERE q.id = {noun};
      IF NOT FOUND THEN
        RAISE NOTICE '% by claim % changed nothing: there is no {noun} %', call, claim, {noun};
      ELSIF met.claim_token IS NULL THEN
        RAISE NOTICE '% by claim % changed nothing: {noun} % is % after % attempt(s), claimed by nobody',
          call, claim, {noun}, met.status, met.attempts;
      ELSE
        RAISE NOTICE '% by claim % changed nothing: {noun} % is % in attempt %, claimed by worker % with claim %',
          call, claim, {noun}, met.status, met.attempts, met.claimed_by, met.claim_token;
      END IF;
      RETURN false;
    END
    $$;

    -- Extends the lease and records the progress, from 0 to 1. False: the claim is lost, stop working.
    CREATE FUNCTION "extend_{noun}_lease"(
      {noun} uuid, claim uuid, lease interval, progress double precision DEFAULT NULL
    ) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      UPDATE {table} q
      SET lease_until = now() + lease, progress = coalesce(extend_{noun}_lease.progress, q.progress)
      WHERE q.id = {noun} AND q.status = 'PROCESSING' AND q.claim_token = claim;
      RETURN CASE WHEN FOUND THEN true ELSE explain_lost_{noun}_claim('extend_{noun}_lease', {noun}, claim) END;
    END
    $$;

    -- The first step of complete_{noun}(). Locks the row. HELD: the claim is valid. DONE: this claim has completed the row
    -- before, so nothing needs to be done. LOST: nothing may be changed; a notice explains why.
    CREATE FUNCTION "check_{noun}_claim"({noun} uuid, claim uuid) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
      current {table};
    BEGIN
      SELECT * INTO current FROM {table} q WHERE q.id = {noun} FOR UPDATE;
      IF current.claim_token = claim AND current.status = 'COMPLETED' THEN
        RETURN 'DONE';
      ELSIF current.claim_token = claim AND current.status = 'PROCESSING' THEN
        RETURN 'HELD';
      END IF;
      PERFORM explain_lost_{noun}_claim('complete_{noun}', {noun}, claim);
      RETURN 'LOST';
    END
    $$;

    -- Ends an attempt without a result: PENDING again after a pause that doubles, or FAILED after `max_attempts`.
    CREATE FUNCTION "fail_{noun}"({noun} uuid, claim uuid, reason text, max_attempts integer DEFAULT 5)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      UPDATE {table} q
      SET status = CASE WHEN q.attempts >= max_attempts THEN 'FAILED'::work_status ELSE 'PENDING' END,
          failure = reason, progress = 0, claimed_by = NULL, claim_token = NULL, lease_until = NULL,
          next_attempt_at = now() + interval '1 second' * power(2, least(q.attempts, 10) - 1)
      WHERE q.id = {noun} AND q.status = 'PROCESSING' AND q.claim_token = claim;
      RETURN CASE WHEN FOUND THEN true ELSE explain_lost_{noun}_claim('fail_{noun}', {noun}, claim) END;
    END
    $$;

    -- Ends attempts whose lease has expired, because the worker died or is too slow. Returns the number of attempts.
    CREATE FUNCTION "release_expired_{table}"(max_attempts integer DEFAULT 5) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH expired AS (
        SELECT q.id, q.claim_token, q.claimed_by FROM {table} q
        WHERE q.status = 'PROCESSING' AND q.lease_until < now() ORDER BY q.id FOR UPDATE SKIP LOCKED
      )
      SELECT count(*) FILTER (
        WHERE fail_{noun}(id, claim_token, 'The worker ' || claimed_by || ' did not finish in time.', max_attempts)
      )::integer FROM expired
    $$;

    -- Gives a claim back without using up an attempt: for a worker that stops.
    CREATE FUNCTION "release_{noun}"({noun} uuid, claim uuid) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      UPDATE {table} q
      SET status = 'PENDING', attempts = q.attempts - 1, progress = 0, claimed_by = NULL, claim_token = NULL,
          lease_until = NULL
      WHERE q.id = {noun} AND q.status = 'PROCESSING' AND q.claim_token = claim;
      RETURN CASE WHEN FOUND THEN true ELSE explain_lost_{noun}_claim('release_{noun}', {noun}, claim) END;
    END
    $$;

    REVOKE EXECUTE ON FUNCTION
      "claim_{table}"({claim types}), "extend_{noun}_lease"(uuid, uuid, interval, double precision),
      "fail_{noun}"(uuid, uuid, text, integer), "release_{noun}"(uuid, uuid), "release_expired_{table}"(integer),
      "check_{noun}_claim"(uuid, uuid), "explain_lost_{noun}_claim"(text, uuid, uuid)
    FROM PUBLIC;
    CREATE FUNCTION "grant_{noun}_queue_rights"() RETURNS void LANGUAGE sql AS $$
      GRANT SELECT ON {table} TO lectern_worker;
      GRANT EXECUTE ON FUNCTION
        claim_{table}({claim types}), extend_{noun}_lease(uuid, uuid, interval, double precision),
        fail_{noun}(uuid, uuid, text, integer), release_{noun}(uuid, uuid), release_expired_{table}(integer)
        TO lectern_worker;
      GRANT EXECUTE ON FUNCTION release_expired_{table}(integer) TO lectern_server;
    $$;
  $template$, names);
END
$make_queue$;
