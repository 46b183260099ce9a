-- Playlists: audio in an order. Triggers keep the number of tracks and the duration, so they are right whatever program
-- writes the rows.

-- CreateTable
CREATE TABLE "playlists" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "name" TEXT COLLATE "und-x-icu" NOT NULL,
    "name_folded" TEXT NOT NULL GENERATED ALWAYS AS (fold("name")) STORED,
    "owner_id" UUID NOT NULL,
    "track_count" INTEGER NOT NULL DEFAULT 0,
    "duration_ms" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "playlists_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "playlist_tracks" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "playlist_id" UUID NOT NULL,
    "audio_id" UUID NOT NULL,
    "rank" TEXT COLLATE "C" NOT NULL,
    "duration_ms" INTEGER NOT NULL,

    CONSTRAINT "playlist_tracks_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "playlists_name_id_idx" ON "playlists"("name", "id");

-- CreateIndex
CREATE INDEX "playlists_created_at_id_idx" ON "playlists"("created_at", "id");

-- CreateIndex
CREATE INDEX "playlists_owner_id_name_id_idx" ON "playlists"("owner_id", "name", "id");

-- CreateIndex
CREATE INDEX "playlists_name_folded_idx" ON "playlists" USING GIN ("name_folded" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "playlist_tracks_playlist_id_rank_key" ON "playlist_tracks"("playlist_id", "rank");

-- CreateIndex
CREATE INDEX "playlist_tracks_audio_id_playlist_id_idx" ON "playlist_tracks"("audio_id", "playlist_id");

-- AddForeignKey
ALTER TABLE "playlists" ADD CONSTRAINT "playlists_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "playlist_tracks" ADD CONSTRAINT "playlist_tracks_playlist_id_fkey" FOREIGN KEY ("playlist_id") REFERENCES "playlists"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "playlist_tracks" ADD CONSTRAINT "playlist_tracks_audio_id_fkey" FOREIGN KEY ("audio_id") REFERENCES "audio"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "playlists" ADD CONSTRAINT "playlists_name_length" CHECK (length(btrim("name")) BETWEEN 1 AND 200);
ALTER TABLE "playlist_tracks"
  ADD CONSTRAINT "playlist_tracks_rank_form" CHECK ("rank" ~ '^[0-9A-Za-z]{1,100}$'),
  ADD CONSTRAINT "playlist_tracks_duration_not_negative" CHECK ("duration_ms" >= 0);

-- Refuses a statement with an error that clients see as it is: the message is JSON with the API's code and message, and
-- with what else stands in the error's extensions. An object with __typename and id gets its global id there.
CREATE FUNCTION "refuse"(code text, message text, details jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'LT004',
    MESSAGE = (jsonb_build_object('code', code, 'message', message) || details)::text;
END
$$;

-- A track is as long as its audio. While a replaced file has not been decoded, it is as long as the former one, so that
-- nobody schedules something else into a gap that closes a minute later.
CREATE FUNCTION "measure_playlist_track"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  used record;
BEGIN
  -- Locked to the end of the transaction: without it, a change of the duration at the same time would miss this track.
  SELECT a.title, a.status, a.duration_ms INTO used FROM audio a WHERE a.id = NEW.audio_id FOR SHARE;
  IF TG_OP = 'UPDATE' AND NEW.audio_id = OLD.audio_id THEN
    NEW.duration_ms := coalesce(used.duration_ms, OLD.duration_ms);
    RETURN NEW;
  END IF;
  IF used.status <> 'COMPLETED' THEN
    PERFORM refuse('INVALID_STATE', format(
      'The audio "%s" is %s. A playlist takes it when it is COMPLETED.', used.title, used.status));
  END IF;
  -- Without such an audio the foreign key refuses the row, with an error that says more than one of NULL.
  NEW.duration_ms := coalesce(used.duration_ms, 0);
  RETURN NEW;
END
$$;
CREATE TRIGGER "playlist_tracks_measure_new" BEFORE INSERT ON "playlist_tracks"
  FOR EACH ROW EXECUTE FUNCTION "measure_playlist_track"();
CREATE TRIGGER "playlist_tracks_measure" BEFORE UPDATE OF "audio_id", "duration_ms" ON "playlist_tracks"
  FOR EACH ROW EXECUTE FUNCTION "measure_playlist_track"();

CREATE FUNCTION "measure_tracks_of_audio"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  -- Playlists before tracks, as in a transaction that locks a playlist to change its tracks.
  PERFORM FROM playlists p WHERE p.id IN (SELECT t.playlist_id FROM playlist_tracks t WHERE t.audio_id = NEW.id)
  ORDER BY p.id FOR NO KEY UPDATE;
  UPDATE playlist_tracks t SET duration_ms = NEW.duration_ms
  WHERE t.audio_id = NEW.id AND t.duration_ms <> NEW.duration_ms;
  RETURN NULL;
END
$$;
CREATE TRIGGER "audio_tracks" AFTER UPDATE OF "duration_ms" ON "audio"
  FOR EACH ROW WHEN (NEW.duration_ms IS NOT NULL AND NEW.duration_ms IS DISTINCT FROM OLD.duration_ms)
  EXECUTE FUNCTION "measure_tracks_of_audio"();

-- Sums up the tracks. Runs on each write of the sums, whose row is locked then, so nobody can write others.
CREATE FUNCTION "sum_up_playlist"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  longest_ms constant bigint := 7 * 86400000;
  most constant integer := 5000;
  sum_ms bigint;
BEGIN
  SELECT count(*), coalesce(sum(t.duration_ms), 0) INTO NEW.track_count, sum_ms
  FROM playlist_tracks t WHERE t.playlist_id = NEW.id;
  IF NEW.track_count > most THEN
    PERFORM refuse('INVALID_STATE', format('The playlist "%s" would have %s tracks: %s is the maximum.',
      NEW.name, NEW.track_count, most));
  END IF;
  IF sum_ms > longest_ms THEN
    PERFORM refuse('INVALID_STATE', format('The playlist "%s" would last %s hours: a week, 168 hours, is the maximum.',
      NEW.name, round(ceil(sum_ms / 360000.0) / 10, 1)));
  END IF;
  NEW.duration_ms := sum_ms;
  RETURN NEW;
END
$$;
CREATE TRIGGER "playlists_sums_new" BEFORE INSERT ON "playlists"
  FOR EACH ROW EXECUTE FUNCTION "sum_up_playlist"();
CREATE TRIGGER "playlists_sums" BEFORE UPDATE OF "track_count", "duration_ms" ON "playlists"
  FOR EACH ROW EXECUTE FUNCTION "sum_up_playlist"();
CREATE TRIGGER "playlists_version" BEFORE UPDATE ON "playlists" FOR EACH ROW EXECUTE FUNCTION "raise_version"();

-- Each statement that changes tracks raises the version of their playlists by one, also if it only moves them.
CREATE FUNCTION "change_playlists"(changed uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- In the same order in all transactions. FOR UPDATE would wait for the lock by which the foreign key of another new track
  -- keeps its playlist, whose transaction then waits for this one.
  PERFORM FROM playlists p WHERE p.id = ANY (changed) ORDER BY p.id FOR NO KEY UPDATE;
  UPDATE playlists p SET track_count = p.track_count WHERE p.id = ANY (changed);
END
$$;
CREATE FUNCTION "follow_tracks"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  -- Each event has the tables of its own rows only.
  CASE TG_OP
    WHEN 'INSERT' THEN PERFORM change_playlists(ARRAY(SELECT DISTINCT playlist_id FROM new_rows));
    WHEN 'DELETE' THEN PERFORM change_playlists(ARRAY(SELECT DISTINCT playlist_id FROM old_rows));
    ELSE PERFORM change_playlists(ARRAY(SELECT playlist_id FROM new_rows UNION SELECT playlist_id FROM old_rows));
  END CASE;
  RETURN NULL;
END
$$;
CREATE TRIGGER "playlist_tracks_new" AFTER INSERT ON "playlist_tracks"
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "follow_tracks"();
CREATE TRIGGER "playlist_tracks_change" AFTER UPDATE ON "playlist_tracks"
  REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "follow_tracks"();
CREATE TRIGGER "playlist_tracks_removal" AFTER DELETE ON "playlist_tracks"
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "follow_tracks"();

REVOKE EXECUTE ON FUNCTION "refuse"(text, text, jsonb), "change_playlists"(uuid[]) FROM PUBLIC;

SELECT record_changes('playlists', 'playlist', ARRAY['version', 'track_count', 'duration_ms'], ARRAY['version']);

CREATE FUNCTION "grant_playlist_rights"() RETURNS void LANGUAGE sql AS $$
  GRANT SELECT, DELETE, INSERT ("name", "owner_id"), UPDATE ("name") ON playlists TO lectern_server;
  GRANT SELECT, DELETE, INSERT ("playlist_id", "audio_id", "rank"), UPDATE ("rank") ON playlist_tracks TO lectern_server;
$$;
