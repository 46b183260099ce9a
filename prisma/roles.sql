-- Grants rights to two roles without a login, which own nothing: the server works as `lectern_server`, and workers, in any
-- language, as `lectern_worker`. Rights stand beside the tables: each migration that creates tables creates a function
-- grant_…_rights() for them, and this file calls them all. Everything else is refused to both roles.
--
-- `migrate` runs this file after the migrations, each time, so a table is covered from the day it is created. An owner of
-- the tables that may not create roles needs an administrator to run it once:
--
--   psql -v ON_ERROR_STOP=1 -f prisma/roles.sql "postgresql://administrator@…/the-database"
--
-- Roles belong to the whole cluster and rights to one database, so each of several databases is granted its own.

BEGIN;
-- Another run for the same database waits.
SELECT pg_advisory_xact_lock(hashtext('lectern roles'));

DO $$
DECLARE
  made text;
  item text;
  owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = 'public.outbox'::regclass);
BEGIN
  FOREACH made IN ARRAY ARRAY['lectern_server', 'lectern_worker'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = made) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', made);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- Another run made it for another database at the same moment.
      END;
    END IF;
    -- So that a login as the owner can take on fewer rights. A superuser can already.
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

  -- Revokes all rights first: those of an earlier version, and those that PostgreSQL grants to PUBLIC on functions.
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

-- `start` reads it to detect missing migrations.
GRANT SELECT ON _prisma_migrations TO lectern_server;

-- As the owner, since the functions are the owner's code, which must not run with the rights of an administrator.
DO $$
DECLARE
  owner oid := (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.outbox'::regclass);
  item text;
BEGIN
  PERFORM set_config('role', owner::regrole::text, true), set_config('search_path', 'public, pg_temp', true);
  FOR item IN
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = owner
      AND p.proname LIKE 'grant\_%\_rights' AND p.pronargs = 0
    ORDER BY p.proname
  LOOP
    EXECUTE format('SELECT %s', item);
  END LOOP;
END
$$;
COMMIT;
