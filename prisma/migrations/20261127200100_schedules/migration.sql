-- Schedules: a playlist on a channel from a time on. Two on one channel never overlap. A series repeats on days of the
-- week, in a time zone; each of its occurrences is a schedule, so that the same constraint guards it.

-- For the channel in the exclusion constraint.
CREATE EXTENSION IF NOT EXISTS "btree_gist";

-- CreateTable
CREATE TABLE "schedule_series" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "playlist_id" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "start_time" TEXT NOT NULL,
    "weekdays" TEXT[] NOT NULL,
    "every_weeks" INTEGER NOT NULL DEFAULT 1,
    "first_day" TEXT NOT NULL,
    "last_day" TEXT,
    "skipped_days" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "blocked_days" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "placed_until" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schedule_series_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "schedules" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "playlist_id" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "series_id" UUID,
    "series_day" TEXT,
    "is_moved" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schedules_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "schedule_series_playlist_id_first_day_id_idx" ON "schedule_series"("playlist_id", "first_day", "id");

-- CreateIndex
CREATE INDEX "schedules_starts_at_id_idx" ON "schedules"("starts_at", "id");

-- CreateIndex
CREATE INDEX "schedules_channel_starts_at_id_idx" ON "schedules"("channel", "starts_at", "id");

-- CreateIndex
CREATE INDEX "schedules_playlist_id_starts_at_id_idx" ON "schedules"("playlist_id", "starts_at", "id");

-- CreateIndex
CREATE INDEX "schedules_series_id_starts_at_id_idx" ON "schedules"("series_id", "starts_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "schedules_series_id_series_day_key" ON "schedules"("series_id", "series_day");

-- AddForeignKey
ALTER TABLE "schedule_series" ADD CONSTRAINT "schedule_series_playlist_id_fkey" FOREIGN KEY ("playlist_id") REFERENCES "playlists"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_playlist_id_fkey" FOREIGN KEY ("playlist_id") REFERENCES "playlists"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_series_id_fkey" FOREIGN KEY ("series_id") REFERENCES "schedule_series"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "schedule_series"
  ADD CONSTRAINT "schedule_series_channel_form" CHECK ("channel" ~ '^[^[:cntrl:]]{1,100}$' AND "channel" = btrim("channel")),
  ADD CONSTRAINT "schedule_series_time_form" CHECK ("start_time" ~ '^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?$'),
  ADD CONSTRAINT "schedule_series_weekdays_known" CHECK (cardinality("weekdays") BETWEEN 1 AND 7 AND "weekdays" <@
    ARRAY['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY']),
  ADD CONSTRAINT "schedule_series_weeks_few" CHECK ("every_weeks" BETWEEN 1 AND 52),
  -- Days are texts in the form of ISO 8601: a DATE would become a point in time in JavaScript.
  ADD CONSTRAINT "schedule_series_days" CHECK (
    to_char("first_day"::date, 'YYYY-MM-DD') = "first_day" AND "first_day" BETWEEN '1970-01-01' AND '9998-12-31'
    AND to_char("last_day"::date, 'YYYY-MM-DD') = "last_day" AND "last_day" >= "first_day");

ALTER TABLE "schedules"
  ADD CONSTRAINT "schedules_channel_form" CHECK ("channel" ~ '^[^[:cntrl:]]{1,100}$' AND "channel" = btrim("channel")),
  ADD CONSTRAINT "schedules_time_range" CHECK ("starts_at" >= '1970-01-01Z' AND "starts_at" < '9999-01-01Z'),
  ADD CONSTRAINT "schedules_series_whole" CHECK (num_nulls("series_id", "series_day") IN (0, 2)),
  -- Deferred: before it, a trigger refuses an overlap with an error that says which schedule is in the way. The constraint
  -- holds also for transactions that cannot see each other.
  ADD CONSTRAINT "schedules_no_overlap" EXCLUDE USING gist (
    "channel" WITH =, tstzrange("starts_at", "ends_at") WITH &&) DEFERRABLE INITIALLY DEFERRED;

-- As JavaScript writes a point in time.
CREATE FUNCTION "utc_text"(at timestamptz) RETURNS text LANGUAGE sql STABLE STRICT AS $$
  SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- The point in time at which clocks of a time zone show a local time, as RFC 5545 and Temporal ("compatible") define it: a
-- time that clocks show twice is the first of the two; one that they skip is as much later as they skip. PostgreSQL's own
-- AT TIME ZONE takes the second of two.
CREATE FUNCTION "instant_of"("local" timestamp, zone text) RETURNS timestamptz LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  by_postgres timestamptz := "local" AT TIME ZONE zone;
  day_before timestamptz := by_postgres - interval '24 hours';
  offset_before interval := day_before AT TIME ZONE zone - day_before AT TIME ZONE 'UTC';
  by_offset_before timestamptz := ("local" - offset_before) AT TIME ZONE 'UTC';
BEGIN
  IF by_offset_before AT TIME ZONE zone <> "local" AND by_postgres AT TIME ZONE zone = "local" THEN
    RETURN by_postgres;
  END IF;
  RETURN by_offset_before;
END
$$;

-- A transaction that changes schedules of a channel holds this lock to its end, so that the next one sees them. Locks are
-- taken in the order of playlists, series, schedules, channels.
CREATE FUNCTION "lock_channels"(channels text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('lectern channel ' || c.channel))
  FROM (SELECT DISTINCT channel FROM unnest(channels) AS each(channel) ORDER BY channel) c;
END
$$;

-- Sets the end of a schedule, and whether it differs from its series.
CREATE FUNCTION "end_schedule"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  played record;
  series schedule_series;
  is_placed boolean := TG_OP = 'INSERT'
    OR (NEW.playlist_id, NEW.channel, NEW.starts_at) IS DISTINCT FROM (OLD.playlist_id, OLD.channel, OLD.starts_at);
BEGIN
  -- A change of the duration at the same time must not miss this row: it waits for this lock, or for the row itself.
  IF TG_OP = 'INSERT' OR NEW.playlist_id <> OLD.playlist_id THEN
    PERFORM FROM playlists p WHERE p.id = NEW.playlist_id FOR SHARE;
  END IF;
  SELECT p.name, p.duration_ms INTO played FROM playlists p WHERE p.id = NEW.playlist_id;
  IF played.duration_ms = 0 THEN
    PERFORM refuse('INVALID_STATE', format(CASE WHEN is_placed
      THEN 'The playlist "%s" is empty, so it cannot be scheduled: add tracks first.'
      ELSE 'The playlist "%s" is scheduled, so it cannot become empty: delete its schedules first, or add other tracks.'
      END, played.name));
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('lectern channel ' || NEW.channel));
  -- Without such a playlist the foreign key refuses the row, with an error that says more than one of NULL.
  NEW.ends_at := NEW.starts_at + coalesce(played.duration_ms, 0) * interval '1 millisecond';
  -- Stays when only the end moves: the series may have changed since.
  IF NEW.series_id IS NULL THEN
    NEW.is_moved := false;
  ELSIF is_placed THEN
    SELECT * INTO series FROM schedule_series s WHERE s.id = NEW.series_id;
    NEW.is_moved := (NEW.playlist_id, NEW.channel, NEW.starts_at) IS DISTINCT FROM (series.playlist_id, series.channel,
      instant_of(NEW.series_day::date + series.start_time::time, series.time_zone));
  ELSE
    NEW.is_moved := OLD.is_moved;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER "schedules_end" BEFORE INSERT OR UPDATE ON "schedules" FOR EACH ROW EXECUTE FUNCTION "end_schedule"();
CREATE TRIGGER "schedules_version" BEFORE UPDATE ON "schedules" FOR EACH ROW EXECUTE FUNCTION "raise_version"();

CREATE FUNCTION "refuse_overlaps"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  most constant integer := 10000;
  met record;
BEGIN
  -- OFFSET 0: each row looks in the constraint's index. The plan of a join is kept for the session, and one that was made for
  -- many changed rows reads the whole table for each single one.
  SELECT c.starts_at AS own_start, c.ends_at AS own_end, c.series_id = o.series_id AS is_own_series, o.*, p.name INTO met
  FROM changed c
  CROSS JOIN LATERAL (
    SELECT * FROM schedules o
    WHERE o.channel = c.channel AND tstzrange(o.starts_at, o.ends_at) && tstzrange(c.starts_at, c.ends_at) AND o.id <> c.id
    OFFSET 0
  ) o
  JOIN playlists p ON p.id = o.playlist_id
  ORDER BY c.starts_at, o.starts_at, o.id LIMIT 1;
  IF FOUND THEN
    PERFORM refuse('SCHEDULE_OVERLAP',
      format('The schedule from %s to %s would overlap that of the playlist "%s" from %s to %s on the channel "%s": '
        || CASE WHEN met.is_own_series THEN 'a series with a shorter playlist, or on other days, does not overlap itself.'
          ELSE 'choose another time, or move that one.' END,
        utc_text(met.own_start), utc_text(met.own_end), met.name, utc_text(met.starts_at), utc_text(met.ends_at), met.channel),
      jsonb_build_object('schedule', jsonb_build_object('__typename', 'Schedule', 'id', met.id, 'channel', met.channel,
        'startsAt', utc_text(met.starts_at), 'endsAt', utc_text(met.ends_at),
        'playlist', jsonb_build_object('__typename', 'Playlist', 'id', met.playlist_id, 'name', met.name))));
  END IF;
  SELECT c.channel INTO met FROM (SELECT DISTINCT channel FROM changed) c
  WHERE most < (
    SELECT count(*) FROM schedules o
    WHERE o.channel = c.channel AND o.starts_at > now() - interval '8 days' AND o.ends_at > now()) LIMIT 1;
  IF FOUND THEN
    PERFORM refuse('INVALID_STATE', format('The channel "%s" has %s schedules that have not ended, the maximum: '
      'delete some that are not needed.', met.channel, most));
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER "schedules_overlap_new" AFTER INSERT ON "schedules"
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "refuse_overlaps"();
CREATE TRIGGER "schedules_overlap_change" AFTER UPDATE ON "schedules"
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "refuse_overlaps"();

-- A playlist that becomes longer or shorter moves the ends of its schedules that have not ended, in the same transaction.
-- Those of the past stay: they would keep a playlist from changing for ever that once played right before another.
CREATE FUNCTION "move_schedule_ends"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  changed uuid[] := ARRAY(
    SELECT n.id FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE o.duration_ms <> n.duration_ms);
BEGIN
  IF changed = '{}' THEN
    RETURN NULL;
  END IF;
  PERFORM FROM schedules s WHERE s.playlist_id = ANY (changed) AND s.ends_at > now() ORDER BY s.id FOR NO KEY UPDATE;
  PERFORM lock_channels(ARRAY(
    SELECT DISTINCT s.channel FROM schedules s WHERE s.playlist_id = ANY (changed) AND s.ends_at > now()));
  UPDATE schedules s SET ends_at = s.ends_at WHERE s.playlist_id = ANY (changed) AND s.ends_at > now();
  RETURN NULL;
END
$$;
CREATE TRIGGER "playlists_schedules" AFTER UPDATE ON "playlists"
  REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION "move_schedule_ends"();

-- The day up to which occurrences of a series are schedules. Later ones follow day by day: extend_schedule_series().
CREATE FUNCTION "horizon_of"(series schedule_series) RETURNS date LANGUAGE sql STABLE AS $$
  SELECT least(greatest((now() AT TIME ZONE series.time_zone)::date, series.first_day::date) + 400, '9998-12-30')
$$;

-- The days of a series up to its horizon, with the start on each, without those that were skipped. Weeks begin on Monday.
CREATE FUNCTION "days_of"(series schedule_series) RETURNS TABLE (day text, starts_at timestamptz) LANGUAGE sql STABLE AS $$
  SELECT d.day, instant_of(d.day::date + series.start_time::time, series.time_zone)
  FROM (
    SELECT to_char(first.day + n, 'YYYY-MM-DD') AS day, (first.day + n - first.monday) / 7 AS week,
      extract(isodow FROM first.day + n)::integer AS weekday
    FROM (SELECT series.first_day::date AS day, date_trunc('week', series.first_day::date)::date AS monday) first,
      generate_series(0, least(horizon_of(series), series.last_day::date) - first.day) n
  ) d
  WHERE d.week % series.every_weeks = 0
    AND (ARRAY['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'])[d.weekday]
      = ANY (series.weekdays)
    AND d.day <> ALL (series.skipped_days)
$$;

-- Makes the schedules of a series that start after a time equal to its rules. Those that were moved stay. They keep their
-- ids where the day stays.
CREATE FUNCTION "place_schedules"(series uuid, since timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s schedule_series;
  -- Computed once: a join with days_of() may compute all of them for each row.
  days text[];
  starts timestamptz[];
BEGIN
  SELECT * INTO s FROM schedule_series q WHERE q.id = series FOR UPDATE;
  PERFORM FROM playlists p WHERE p.id = s.playlist_id FOR SHARE;
  PERFORM FROM schedules o WHERE o.series_id = s.id AND NOT o.is_moved AND o.starts_at > since ORDER BY o.id FOR UPDATE;
  PERFORM lock_channels(ARRAY[s.channel]);
  SELECT coalesce(array_agg(d.day), '{}'), coalesce(array_agg(d.starts_at), '{}') INTO days, starts
  FROM days_of(s) d WHERE d.starts_at > since;
  DELETE FROM schedules o
  WHERE o.series_id = s.id AND NOT o.is_moved AND o.starts_at > since AND o.series_day <> ALL (days);
  UPDATE schedules o SET playlist_id = s.playlist_id, channel = s.channel, starts_at = d.starts_at
  FROM unnest(days, starts) AS d(day, starts_at)
  WHERE o.series_id = s.id AND NOT o.is_moved AND o.starts_at > since AND o.series_day = d.day
    AND (o.playlist_id, o.channel, o.starts_at) IS DISTINCT FROM (s.playlist_id, s.channel, d.starts_at);
  INSERT INTO schedules (playlist_id, channel, starts_at, series_id, series_day)
  SELECT s.playlist_id, s.channel, d.starts_at, s.id, d.day FROM unnest(days, starts) AS d(day, starts_at)
  WHERE NOT EXISTS (SELECT FROM schedules o WHERE o.series_id = s.id AND o.series_day = d.day);
END
$$;

-- Sets the horizon in the same write, so that a change of a series raises its version by one.
CREATE FUNCTION "prepare_series"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF (TG_OP = 'INSERT' OR NEW.first_day <> OLD.first_day) AND NEW.first_day::date < current_date - 1000 THEN
    PERFORM refuse('BAD_USER_INPUT', 'A series starts 1000 days ago at the earliest: choose a later first day.');
  END IF;
  -- AT TIME ZONE takes more than names, such as UTC+3, which is three hours west of Greenwich. The view of all names reads
  -- hundreds of files, so it is asked only for a zone that no series has yet.
  IF (TG_OP = 'INSERT' OR NEW.time_zone <> OLD.time_zone)
     AND NOT EXISTS (SELECT FROM schedule_series s WHERE s.time_zone = NEW.time_zone)
     AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = NEW.time_zone) THEN
    PERFORM refuse('BAD_USER_INPUT', format(
      'The database knows no time zone "%s": choose one of the IANA database, such as Europe/Berlin.', NEW.time_zone));
  END IF;
  NEW.placed_until := to_char(horizon_of(NEW), 'YYYY-MM-DD');
  NEW.blocked_days := '{}';
  RETURN NEW;
END
$$;
CREATE TRIGGER "schedule_series_prepare_new" BEFORE INSERT ON "schedule_series"
  FOR EACH ROW EXECUTE FUNCTION "prepare_series"();
CREATE TRIGGER "schedule_series_prepare" BEFORE UPDATE OF "playlist_id", "channel", "time_zone", "start_time", "weekdays",
    "every_weeks", "first_day", "last_day", "skipped_days" ON "schedule_series"
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION "prepare_series"();
CREATE TRIGGER "schedule_series_version" BEFORE UPDATE ON "schedule_series"
  FOR EACH ROW EXECUTE FUNCTION "raise_version"();

CREATE FUNCTION "follow_series"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM place_schedules(NEW.id, CASE TG_OP WHEN 'INSERT' THEN '-infinity' ELSE now() END);
  RETURN NULL;
END
$$;
CREATE TRIGGER "schedule_series_new" AFTER INSERT ON "schedule_series"
  FOR EACH ROW EXECUTE FUNCTION "follow_series"();
CREATE TRIGGER "schedule_series_change" AFTER UPDATE OF "playlist_id", "channel", "time_zone", "start_time", "weekdays",
    "every_weeks", "first_day", "last_day", "skipped_days" ON "schedule_series"
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION "follow_series"();

-- An occurrence that somebody deletes is skipped: the series does not bring it back. Those that a change of the series
-- deletes are no longer its days.
CREATE FUNCTION "skip_schedule"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE schedule_series s SET skipped_days = ARRAY(SELECT unnest(s.skipped_days || OLD.series_day) ORDER BY 1)
  WHERE s.id = OLD.series_id AND OLD.series_day <> ALL (s.skipped_days);
  RETURN NULL;
END
$$;
CREATE TRIGGER "schedules_skip" AFTER DELETE ON "schedules"
  FOR EACH ROW WHEN (OLD.series_id IS NOT NULL AND pg_trigger_depth() = 0) EXECUTE FUNCTION "skip_schedule"();

-- Places the occurrences up to today's horizon; servers call it at intervals. One that would overlap another schedule, or
-- that is refused for another reason, is left out, since the other came first, and its day is noted in `blocked_days`.
-- Extends the 25 series that are most behind, so that a call ends in time after a long pause. Returns how many were placed.
CREATE FUNCTION "extend_schedule_series"() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  due uuid[];
  s schedule_series;
  next record;
  blocked text[];
  placed integer := 0;
BEGIN
  due := ARRAY(
    SELECT q.id FROM schedule_series q
    WHERE q.placed_until < to_char(least(horizon_of(q), q.last_day::date), 'YYYY-MM-DD')
    ORDER BY q.placed_until, q.id LIMIT 25 FOR UPDATE SKIP LOCKED);
  PERFORM FROM playlists p WHERE p.id IN (SELECT q.playlist_id FROM schedule_series q WHERE q.id = ANY (due))
  ORDER BY p.id FOR SHARE;
  PERFORM lock_channels(ARRAY(SELECT q.channel FROM schedule_series q WHERE q.id = ANY (due)));
  FOR s IN SELECT * FROM schedule_series q WHERE q.id = ANY (due) ORDER BY q.id LOOP
    blocked := '{}';
    FOR next IN
      SELECT * FROM days_of(s) d WHERE d.day > s.placed_until
        -- A moved one stays when a change of the series draws the horizon in.
        AND NOT EXISTS (SELECT FROM schedules o WHERE o.series_id = s.id AND o.series_day = d.day)
      ORDER BY d.day
    LOOP
      BEGIN
        INSERT INTO schedules (playlist_id, channel, starts_at, series_id, series_day)
        VALUES (s.playlist_id, s.channel, next.starts_at, s.id, next.day);
        placed := placed + 1;
      EXCEPTION WHEN SQLSTATE 'LT004' THEN
        blocked := blocked || next.day;
      END;
    END LOOP;
    UPDATE schedule_series q
    SET placed_until = to_char(horizon_of(s), 'YYYY-MM-DD'), blocked_days = q.blocked_days || blocked WHERE q.id = s.id;
  END LOOP;
  RETURN placed;
END
$$;

-- The track that plays on each channel at this instant. A channel that plays nothing has no row.
CREATE VIEW "now_playing" AS
  SELECT s.channel, s.id AS schedule_id, t.id AS track_id,
    floor(extract(epoch FROM now() - s.starts_at) * 1000)::integer - t.starts_ms AS offset_ms,
    (s.starts_at + t.starts_ms * interval '1 millisecond')::timestamptz(3) AS track_starts_at,
    (s.starts_at + (t.starts_ms + t.duration_ms) * interval '1 millisecond')::timestamptz(3) AS track_ends_at
  FROM schedules s
  CROSS JOIN LATERAL (
    SELECT p.id, p.duration_ms, (sum(p.duration_ms) OVER (ORDER BY p.rank))::integer - p.duration_ms AS starts_ms
    FROM playlist_tracks p WHERE p.playlist_id = s.playlist_id
  ) t
  -- No playlist lasts longer than a week: the index finds the start without those of all years.
  WHERE s.starts_at <= now() AND s.starts_at > now() - interval '8 days' AND now() < s.ends_at
    AND s.starts_at + t.starts_ms * interval '1 millisecond' <= now()
    AND now() < s.starts_at + (t.starts_ms + t.duration_ms) * interval '1 millisecond';

SELECT record_changes('schedules', 'schedule', ARRAY['version', 'channel'], ARRAY['version']);

REVOKE EXECUTE ON FUNCTION "lock_channels"(text[]), "place_schedules"(uuid, timestamptz), "extend_schedule_series"()
FROM PUBLIC;

CREATE FUNCTION "grant_schedule_rights"() RETURNS void LANGUAGE sql AS $$
  GRANT SELECT, DELETE, INSERT ("playlist_id", "channel", "starts_at"), UPDATE ("playlist_id", "channel", "starts_at")
    ON schedules TO lectern_server;
  GRANT SELECT, DELETE, INSERT ("playlist_id", "channel", "time_zone", "start_time", "weekdays", "every_weeks",
      "first_day", "last_day", "skipped_days"),
    UPDATE ("playlist_id", "channel", "time_zone", "start_time", "weekdays", "every_weeks", "first_day", "last_day",
      "skipped_days")
    ON schedule_series TO lectern_server;
  GRANT SELECT ON now_playing TO lectern_server;
  GRANT EXECUTE ON FUNCTION extend_schedule_series(), instant_of(timestamp, text) TO lectern_server;
$$;
