-- Audio. The table is a queue: workers claim PENDING rows, decode their sound, and convert M4A to MP3 (docs/workers.md).

-- CreateTable
CREATE TABLE "audio" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "title" TEXT COLLATE "und-x-icu" NOT NULL,
    "artist" TEXT,
    "album" TEXT,
    "words_folded" TEXT NOT NULL GENERATED ALWAYS AS (
      fold("title" || coalesce(' ' || "artist", '') || coalesce(' ' || "album", ''))) STORED,
    "filename" TEXT NOT NULL,
    "uploaded_by_id" UUID NOT NULL,
    "category_id" UUID,
    "event_id" UUID,
    "status" "work_status" NOT NULL DEFAULT 'PENDING',
    "version" INTEGER NOT NULL DEFAULT 1,
    "mime_type" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "storage_key" TEXT NOT NULL,
    "sent_sha256" TEXT NOT NULL,
    "cover_mime_type" TEXT,
    "cover_size_bytes" BIGINT,
    "cover_sha256" TEXT,
    "cover_key" TEXT,
    "duration_ms" INTEGER,
    "peaks" BYTEA,
    "loudness_lufs" DOUBLE PRECISION,
    "true_peak_db" DOUBLE PRECISION,
    "leading_silence_ms" INTEGER,
    "trailing_silence_ms" INTEGER,
    "failure" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "progress" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "claimed_by" TEXT,
    "claim_token" UUID,
    "lease_until" TIMESTAMPTZ(3),
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "uploaded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "processed_at" TIMESTAMPTZ(3),

    CONSTRAINT "audio_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audio_uploaded_at_id_idx" ON "audio"("uploaded_at", "id");

-- CreateIndex
CREATE INDEX "audio_title_id_idx" ON "audio"("title", "id");

-- CreateIndex
CREATE INDEX "audio_duration_ms_id_idx" ON "audio"("duration_ms", "id");

-- CreateIndex
CREATE INDEX "audio_uploaded_by_id_uploaded_at_id_idx" ON "audio"("uploaded_by_id", "uploaded_at", "id");

-- CreateIndex
CREATE INDEX "audio_category_id_uploaded_at_id_idx" ON "audio"("category_id", "uploaded_at", "id");

-- CreateIndex
CREATE INDEX "audio_event_id_uploaded_at_id_idx" ON "audio"("event_id", "uploaded_at", "id");

-- CreateIndex
CREATE INDEX "audio_status_uploaded_at_id_idx" ON "audio"("status", "uploaded_at", "id");

-- CreateIndex
CREATE INDEX "audio_words_folded_idx" ON "audio" USING GIN ("words_folded" gin_trgm_ops);

-- CreateIndex
CREATE INDEX "audio_sha256_idx" ON "audio"("sha256");

-- CreateIndex
CREATE UNIQUE INDEX "audio_filename_key" ON "audio"("filename");

-- CreateIndex
CREATE UNIQUE INDEX "audio_storage_key_key" ON "audio"("storage_key");

-- CreateIndex
CREATE UNIQUE INDEX "audio_sent_sha256_key" ON "audio"("sent_sha256");

-- CreateIndex
CREATE UNIQUE INDEX "audio_cover_key_key" ON "audio"("cover_key");

-- AddForeignKey
ALTER TABLE "audio" ADD CONSTRAINT "audio_uploaded_by_id_fkey" FOREIGN KEY ("uploaded_by_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audio" ADD CONSTRAINT "audio_category_id_fkey" FOREIGN KEY ("category_id") REFERENCES "categories"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audio" ADD CONSTRAINT "audio_event_id_fkey" FOREIGN KEY ("event_id") REFERENCES "events"("id") ON DELETE SET NULL ON UPDATE CASCADE;

ALTER TABLE "audio"
  ADD CONSTRAINT "audio_title_length" CHECK (length(btrim("title")) BETWEEN 1 AND 500),
  ADD CONSTRAINT "audio_filename_form" CHECK ("filename" ~ '^[^/\\[:cntrl:]]{1,200}$'),
  ADD CONSTRAINT "audio_mime_type_known" CHECK ("mime_type" IN ('audio/mpeg', 'audio/mp4')),
  ADD CONSTRAINT "audio_times_not_negative" CHECK (
    "duration_ms" >= 0 AND "leading_silence_ms" >= 0 AND "trailing_silence_ms" >= 0),
  ADD CONSTRAINT "audio_sound_when_completed" CHECK ("status" <> 'COMPLETED'
    OR ("duration_ms" IS NOT NULL AND length("peaks") > 0 AND "mime_type" = 'audio/mpeg')),
  ADD CONSTRAINT "audio_cover_whole" CHECK (
    num_nulls("cover_key", "cover_mime_type", "cover_size_bytes", "cover_sha256") IN (0, 4));

CREATE TRIGGER "audio_version" BEFORE UPDATE ON "audio" FOR EACH ROW EXECUTE FUNCTION "raise_version"();

-- A name that another audio has gets a counter: `tone (2).mp3`. The lock makes those wait that want the same name at the
-- same time.
CREATE FUNCTION "choose_audio_filename"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  stem text := regexp_replace(NEW.filename, '\.[^.]*$', '');
  ending text := substr(NEW.filename, length(regexp_replace(NEW.filename, '\.[^.]*$', '')) + 1);
  counter integer := 1;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('lectern audio ' || NEW.filename));
  WHILE EXISTS (SELECT FROM audio a WHERE a.filename = NEW.filename AND a.id <> NEW.id) LOOP
    counter := counter + 1;
    NEW.filename := format('%s (%s)%s', left(stem, 190 - length(ending)), counter, ending);
  END LOOP;
  RETURN NEW;
END
$$;
CREATE TRIGGER "audio_filename_new" BEFORE INSERT ON "audio"
  FOR EACH ROW EXECUTE FUNCTION "choose_audio_filename"();
CREATE TRIGGER "audio_filename_change" BEFORE UPDATE OF "filename" ON "audio"
  FOR EACH ROW WHEN (OLD.filename <> NEW.filename) EXECUTE FUNCTION "choose_audio_filename"();

-- Another file: what is known of the sound of the former one is forgotten, until a worker has decoded this one.
CREATE FUNCTION "forget_audio_sound"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.duration_ms := NULL;
  NEW.peaks := NULL;
  NEW.loudness_lufs := NULL;
  NEW.true_peak_db := NULL;
  NEW.leading_silence_ms := NULL;
  NEW.trailing_silence_ms := NULL;
  NEW.cover_key := NULL;
  NEW.cover_mime_type := NULL;
  NEW.cover_size_bytes := NULL;
  NEW.cover_sha256 := NULL;
  RETURN NEW;
END
$$;
CREATE TRIGGER "audio_sound_forgotten" BEFORE UPDATE OF "storage_key" ON "audio"
  FOR EACH ROW WHEN (NEW.status = 'PENDING' AND OLD.storage_key <> NEW.storage_key)
  EXECUTE FUNCTION "forget_audio_sound"();

SELECT count_files('audio', 'storage_key', 'size_bytes');
SELECT count_files('audio', 'cover_key', 'cover_size_bytes');

SELECT make_queue('audio', 'audio', ARRAY['mime_type', 'storage_key']);

-- A heartbeat without new progress is no event.
SELECT record_changes('audio', 'audio',
  ARRAY['status', 'version', 'progress', 'claimed_by', 'claim_token', 'storage_key', 'cover_key'],
  ARRAY['title', 'artist', 'album', 'filename', 'category_id', 'event_id', 'status', 'progress', 'failure',
        'duration_ms', 'storage_key', 'cover_key']);

-- Completes an audio with what its sound has shown, in one step.
--
-- Artist and album are defaults: those that an editor has set stay.
--
--   sound  {"durationMs", "peaks" (base64, one byte per slice), "loudnessLufs", "truePeakDb", "leadingSilenceMs",
--          "trailingSilenceMs", "artist", "album"}
--   file   {"storageKey", "mimeType", "sizeBytes", "sha256"} of the converted file, which replaces the one that was sent;
--          NULL keeps that one. It is in the store before this call. The other is removed after the commit.
--   cover  the same of the cover picture; NULL: there is none
--
-- True if the audio was completed under this claim, now or before; false if the claim is lost, and then nothing changed.
CREATE FUNCTION "complete_audio"(audio uuid, claim uuid, sound jsonb, file jsonb DEFAULT NULL, cover jsonb DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  checked text := check_audio_claim(audio, claim);
BEGIN
  IF checked <> 'HELD' THEN
    RETURN checked = 'DONE';
  END IF;
  -- To the end of the transaction, at which the ledger changes.
  PERFORM set_config('lectern.is_storage_unlimited', 'on', true);
  UPDATE audio a SET
    status = 'COMPLETED',
    duration_ms = (sound->>'durationMs')::integer,
    peaks = decode(sound->>'peaks', 'base64'),
    loudness_lufs = (sound->>'loudnessLufs')::double precision,
    true_peak_db = (sound->>'truePeakDb')::double precision,
    leading_silence_ms = (sound->>'leadingSilenceMs')::integer,
    trailing_silence_ms = (sound->>'trailingSilenceMs')::integer,
    artist = coalesce(a.artist, sound->>'artist'),
    album = coalesce(a.album, sound->>'album'),
    storage_key = coalesce(file->>'storageKey', a.storage_key),
    mime_type = coalesce(file->>'mimeType', a.mime_type),
    size_bytes = coalesce((file->>'sizeBytes')::bigint, a.size_bytes),
    sha256 = coalesce(file->>'sha256', a.sha256),
    filename = CASE WHEN file IS NULL THEN a.filename ELSE regexp_replace(a.filename, '(\.[^.]*)?$', '.mp3') END,
    cover_key = cover->>'storageKey',
    cover_mime_type = cover->>'mimeType',
    cover_size_bytes = (cover->>'sizeBytes')::bigint,
    cover_sha256 = cover->>'sha256'
  WHERE a.id = complete_audio.audio;
  RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION "complete_audio"(uuid, uuid, jsonb, jsonb, jsonb) FROM PUBLIC;

-- The server may update the status, within the limits of the trigger, but not what only workers write.
CREATE FUNCTION "grant_audio_rights"() RETURNS void LANGUAGE sql AS $$
  GRANT SELECT, DELETE ON audio TO lectern_server;
  GRANT INSERT ("title", "artist", "album", "filename", "uploaded_by_id", "category_id", "event_id", "mime_type",
      "size_bytes", "sha256", "storage_key", "sent_sha256"),
    UPDATE ("title", "artist", "album", "filename", "category_id", "event_id", "status", "mime_type", "size_bytes",
      "sha256", "storage_key", "sent_sha256")
    ON audio TO lectern_server;
  GRANT EXECUTE ON FUNCTION complete_audio(uuid, uuid, jsonb, jsonb, jsonb) TO lectern_worker;
$$;
