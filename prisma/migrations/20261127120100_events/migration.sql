-- Events: labels with a time.

-- CreateTable
CREATE TABLE "events" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "name" TEXT COLLATE "und-x-icu" NOT NULL,
    "name_folded" TEXT NOT NULL GENERATED ALWAYS AS (fold("name")) STORED,
    "starts_at" TIMESTAMPTZ(3),
    "ends_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "events_name_folded_key" ON "events"("name_folded");

ALTER TABLE "events" ADD CONSTRAINT "events_end_after_start" CHECK ("ends_at" >= "starts_at");

SELECT make_labels('events', 'event', 500, ARRAY['starts_at', 'ends_at']);
