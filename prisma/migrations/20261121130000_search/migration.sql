-- Search finds what matches with its accents first, and names like titles: both by an index.

-- CreateIndex
CREATE INDEX "chunks_search_exact_idx" ON "chunks" USING GIN ("search_exact");

-- AlterTable
ALTER TABLE "users" ADD COLUMN "name_folded" TEXT NOT NULL GENERATED ALWAYS AS (fold("name")) STORED;

-- CreateIndex
CREATE INDEX "users_name_folded_idx" ON "users" USING GIN ("name_folded" gin_trgm_ops);
