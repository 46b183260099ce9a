-- Search finds what matches with its accents first, and names like titles: both by an index.

-- CreateIndex
CREATE INDEX "chunks_search_exact_idx" ON "chunks" USING GIN ("search_exact");

-- AlterTable
ALTER TABLE "users" ADD COLUMN "name_folded" TEXT NOT NULL GENERATED ALWAYS AS (fold("name")) STORED;

-- CreateIndex
CREATE INDEX "users_name_folded_idx" ON "users" USING GIN ("name_folded" gin_trgm_ops);

-- Words with digits in them have accents too.
ALTER TEXT SEARCH CONFIGURATION "lectern"
  ALTER MAPPING FOR numword, numhword, hword_numpart WITH unaccent, simple;

-- Words lie beside the table, as they are. What the index of words finds is then looked up in few pages, to see whose it
-- is, and only the words of what is ranked are fetched.
ALTER TABLE "chunks" SET (toast_tuple_target = 128);
ALTER TABLE "chunks" ALTER COLUMN "search" SET STORAGE EXTERNAL, ALTER COLUMN "search_exact" SET STORAGE EXTERNAL;

-- Whether a text has something like each of the words: more than a quarter of its trigrams, of a number all. The price is
-- about what it takes; without it PostgreSQL would rather look at all titles in their order than at those of an index.
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
