-- Who may do what. Two roles without a login, which own nothing: `lectern_server` is what our server works as, and
-- `lectern_worker` what workers work as, in whatever language. Everything that is not granted here is refused to them.
--
-- `migrate` runs this file after the migrations, each time, so a table is covered from the day it is made. An owner of
-- the tables that may not create roles needs an administrator once, and again for nothing:
--
--   psql -v ON_ERROR_STOP=1 -f prisma/roles.sql "postgresql://administrator@…/the-database"
--
-- Roles belong to the whole cluster and rights to one database, so each of several databases is granted its own.

BEGIN;
-- Whoever runs this for the same database at the same moment waits.
SELECT pg_advisory_xact_lock(hashtext('lectern roles'));

DO $$
DECLARE
  made text;
  item text;
  owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = 'public.documents'::regclass);
BEGIN
  FOREACH made IN ARRAY ARRAY['lectern_server', 'lectern_worker'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = made) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', made);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- Somebody made it for another database in this moment.
      END;
    END IF;
    -- So that who logs in as the owner can work as less. A superuser can already.
    IF NOT pg_has_role(owner, made, 'MEMBER') THEN
      BEGIN
        EXECUTE format('GRANT %I TO %I', made, owner);
      EXCEPTION
        WHEN unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
          RAISE WARNING 'an administrator has to run: GRANT % TO %;', quote_ident(made), quote_ident(owner);
      END;
    END IF;
  END LOOP;

  -- Nothing, to begin with: neither what an earlier version granted, nor what PostgreSQL grants everybody on functions.
  FOR item IN
    SELECT format('%s %s', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass)
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
      AND pg_has_role(c.relowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
    UNION ALL
    SELECT format('FUNCTION %s', p.oid::regprocedure)
    FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f' AND pg_has_role(p.proowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, lectern_server, lectern_worker', item);
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO lectern_server, lectern_worker;

-- The server. It asks for documents to be processed and reads the result; what it does with their status, the trigger
-- allows: PENDING and FAILED. A column that only workers write is not among those that it may update.
GRANT SELECT, INSERT, UPDATE ("name", "role", "password_hash") ON users TO lectern_server;
GRANT SELECT, INSERT, UPDATE ON sessions TO lectern_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO lectern_server;
GRANT SELECT, INSERT, DELETE, UPDATE ("title", "visibility", "status") ON documents TO lectern_server;
GRANT SELECT ON chunks TO lectern_server;
GRANT SELECT ON outbox TO lectern_server;
GRANT SELECT, UPDATE ("position") ON outbox_consumers TO lectern_server;
-- What `start` looks at to see whether something is missing.
GRANT SELECT ON _prisma_migrations TO lectern_server;
GRANT EXECUTE ON FUNCTION
  uuid_v7(), fold(text), has_words_like(text, text[]), prune_outbox(interval), release_expired_documents(integer)
  TO lectern_server;

-- Workers: they read documents, and call the contract (docs/workers.md), whose functions run as the owner.
GRANT SELECT ON documents TO lectern_worker;
GRANT EXECUTE ON FUNCTION
  claim_documents(text, integer, interval, text[]), extend_lease(uuid, uuid, interval, double precision),
  complete_document(uuid, uuid, jsonb, text), fail_document(uuid, uuid, text, integer),
  release_document(uuid, uuid), release_expired_documents(integer)
  TO lectern_worker;
COMMIT;
