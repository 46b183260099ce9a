-- Functions that the tables of every slice use: ids, versions, folded text, templates.

-- An id that sorts by its time of creation (RFC 9562, version 7). PostgreSQL has its own from version 18 on.
CREATE FUNCTION "uuid_v7"() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) PLACING
        substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1), 'hex')::uuid
$$;

-- Trigger function for tables with `version` and `updated_at`: every write by any program increments the version.
CREATE FUNCTION "raise_version"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.updated_at := now();
  RETURN NEW;
END
$$;

-- Lower case without accents, for matching titles: 'Người Đẹp' and its decomposed twin both become 'nguoi dep'.
-- The collation is named because lower() must not depend on how the database was created. σ is folded to one form. The
-- Georgian capitals are listed because only some versions of the collation's library lower them.
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
  ALTER MAPPING FOR asciihword, asciiword, hword, hword_asciipart, hword_part, word, numword, numhword, hword_numpart
  WITH unaccent, simple;

-- Whether a text contains something like each of the words: more than a quarter of a word's trigrams, all of a number's.
-- COST is close to the real cost of a call; with the default PostgreSQL scans all titles in order instead of the index.
CREATE FUNCTION "has_words_like"(value text, words text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 250 AS $$
DECLARE
  word text;
BEGIN
  FOREACH word IN ARRAY words LOOP
    IF word_similarity(word, value) <= (CASE WHEN word ~ '[0-9]' THEN 0.99 ELSE 0.25 END) THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END
$$;

-- Executes a template of SQL, in which `{name}` stands for the value of `names` with that key. Only migrations call it:
-- the functions that a template creates contain no dynamic SQL.
CREATE FUNCTION "run_template"(template text, names jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  item record;
BEGIN
  FOR item IN SELECT * FROM jsonb_each_text(names) LOOP
    template := replace(template, '{' || item.key || '}', item.value);
  END LOOP;
  EXECUTE template;
END
$$;

-- `storage_key` becomes `storageKey`.
CREATE FUNCTION "camel_case"(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT string_agg(CASE place WHEN 1 THEN part ELSE initcap(part) END, '' ORDER BY place)
  FROM regexp_split_to_table(name, '_') WITH ORDINALITY AS parts(part, place)
$$;

-- prisma/roles.sql grants rights by calling every function named grant_…_rights. A migration that creates a table creates
-- such a function for it, since the roles may be created later than the table.
CREATE FUNCTION "grant_foundation_rights"() RETURNS void LANGUAGE sql AS $$
  GRANT EXECUTE ON FUNCTION uuid_v7(), fold(text), has_words_like(text, text[]) TO lectern_server
$$;
