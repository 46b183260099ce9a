/** The part of the naive reference that answers for playlists, their tracks, schedules, series, and what plays now. */
import type { TestDatabase } from "./database.ts";
import { globalIdOf } from "./global-ids.ts";
import {
  idOf,
  type Order,
  orderBy,
  orderByCollation,
  orderByText,
  type PageArguments,
  type Row,
} from "./naive-pages.ts";

type Tables = Record<"playlists" | "tracks" | "schedules" | "series", Row[]>;

/** The parts of the reference that show other rows. */
type Others = {
  user(id: string): unknown;
  audio(id: string): unknown;
  address(kind: string, id: string, name: string): string;
  page(rows: Row[], args: PageArguments, order: Order, relation: string, show: (row: Row) => unknown): unknown;
  matches(name: unknown, search: string | null | undefined): boolean;
};

type RangeArguments = PageArguments & { from?: string | null; to?: string | null; channel?: string | null };

export async function readPlaylistTables({ query }: TestDatabase): Promise<Tables> {
  const read = async (sql: string) => (await query(sql)) as Row[];
  return {
    playlists: await read("select *, dense_rank() over (order by name)::int as name_rank from playlists"),
    tracks: await read("select * from playlist_tracks"),
    schedules: await read("select * from schedules"),
    series: await read("select * from schedule_series"),
  };
}

export class NaivePlaylists {
  readonly #tables: Tables;
  readonly #others: Others;
  readonly #now: Date;

  /** @param now the instant of `nowPlaying` */
  constructor(tables: Tables, others: Others, now: Date) {
    this.#tables = tables;
    this.#others = others;
    this.#now = now;
  }

  root(): object {
    return {
      playlist: ({ id }: { id: string }) => this.#playlist(idOf("Playlist", id)),
      playlists: (args: PageArguments & { search?: string | null }) => {
        const found = this.#tables.playlists.filter(({ name }) => this.#others.matches(name, args.search));
        return this.#page(found, args, "AllPlaylists");
      },
      schedule: ({ id }: { id: string }) => this.#schedule(idOf("Schedule", id)),
      schedules: (args: RangeArguments) => {
        const channel = args.channel == null ? null : requireChannel(args.channel);
        const found = this.#tables.schedules.filter((row) => channel === null || row.channel === channel);
        return this.#schedules(found, args, "AllSchedules");
      },
      scheduleSeries: ({ id }: { id: string }) => this.#oneSeries(idOf("ScheduleSeries", id)),
      channelUrl: (args: { channel: string }) => {
        const channel = requireChannel(args.channel);
        return this.#others.address("channel", Buffer.from(channel).toString("base64url"), `${channel}.m3u8`);
      },
      nowPlaying: ({ channel }: { channel: string }) => this.#nowPlaying(requireChannel(channel)),
    };
  }

  /** Undefined for other types. */
  node(type: string, id: string): unknown {
    switch (type) {
      case "Playlist":
        return this.#playlist(id);
      case "PlaylistTrack":
        return this.#track(id);
      case "Schedule":
        return this.#schedule(id);
      case "ScheduleSeries":
        return this.#oneSeries(id);
    }
  }

  ofOwner(id: string, args: PageArguments): unknown {
    const owned = this.#tables.playlists.filter((playlist) => playlist.owner_id === id);
    return this.#page(owned, args, "PlaylistsByOwner");
  }

  ofAudio(id: string, args: PageArguments): unknown {
    const containing = this.#tables.playlists.filter((playlist) =>
      this.#tables.tracks.some((track) => track.playlist_id === playlist.id && track.audio_id === id),
    );
    return this.#page(containing, args, "PlaylistsByAudio");
  }

  #page(playlists: Row[], args: PageArguments, relation: string): unknown {
    const { field, direction } = args.orderBy ?? { field: "NAME", direction: "ASC" };
    const order =
      field === "NAME"
        ? orderByCollation(field, direction, "name", this.#tables.playlists)
        : orderBy(field, direction, "created_at");
    return this.#others.page(playlists, args, order, relation, ({ id }) => this.#playlist(id));
  }

  #playlist(id: unknown): unknown {
    const playlist = this.#tables.playlists.find((row) => row.id === id);
    if (!playlist) return null;
    return {
      __typename: "Playlist",
      id: globalIdOf("Playlist", playlist.id),
      name: playlist.name,
      owner: () => this.#others.user(playlist.owner_id as string),
      version: playlist.version,
      trackCount: this.#tracksOf(id).length,
      durationMs: this.#tracksOf(id).reduce((sum, track) => sum + (track.duration_ms as number), 0),
      createdAt: playlist.created_at,
      updatedAt: playlist.updated_at,
      tracks: (args: PageArguments) =>
        this.#others.page(this.#tracksOf(id), args, rankOrder, "TracksByPlaylist", (track) => this.#track(track.id)),
      schedules: (args: RangeArguments) => {
        const own = this.#tables.schedules.filter((schedule) => schedule.playlist_id === id);
        return this.#schedules(own, args, "SchedulesByPlaylist");
      },
      series: (args: PageArguments) => {
        const own = this.#tables.series.filter((series) => series.playlist_id === id);
        return this.#others.page(own, args, firstDayOrder, "SeriesByPlaylist", (series) => this.#oneSeries(series.id));
      },
    };
  }

  #tracksOf(playlist: unknown): Row[] {
    const tracks = this.#tables.tracks.filter((track) => track.playlist_id === playlist);
    return tracks.sort((left, right) => ((left.rank as string) < (right.rank as string) ? -1 : 1));
  }

  #track(id: unknown): unknown {
    const track = this.#tables.tracks.find((row) => row.id === id);
    if (!track) return null;
    return {
      __typename: "PlaylistTrack",
      id: globalIdOf("PlaylistTrack", track.id),
      position: () => this.#tracksOf(track.playlist_id).indexOf(track),
      durationMs: track.duration_ms,
      audio: () => this.#others.audio(track.audio_id as string),
      playlist: () => this.#playlist(track.playlist_id),
    };
  }

  #schedules(all: Row[], args: RangeArguments, relation: string): unknown {
    const [from, to] = [args.from, args.to].map((time) => (time == null ? null : new Date(time)));
    if (from && to && to <= from) throw new Error("to");
    const inside = all.filter(
      (schedule) => (!from || (schedule.ends_at as Date) > from) && (!to || (schedule.starts_at as Date) < to),
    );
    return this.#others.page(inside, args, startOrder, relation, (schedule) => this.#schedule(schedule.id));
  }

  #schedule(id: unknown): unknown {
    const schedule = this.#tables.schedules.find((row) => row.id === id);
    if (!schedule) return null;
    return {
      __typename: "Schedule",
      id: globalIdOf("Schedule", schedule.id),
      playlist: () => this.#playlist(schedule.playlist_id),
      channel: schedule.channel,
      startsAt: schedule.starts_at,
      endsAt: schedule.ends_at,
      version: schedule.version,
      series: () => this.#oneSeries(schedule.series_id),
      seriesDay: schedule.series_day,
      isMoved: schedule.is_moved,
      createdAt: schedule.created_at,
      updatedAt: schedule.updated_at,
    };
  }

  #oneSeries(id: unknown): unknown {
    const series = this.#tables.series.find((row) => row.id === id);
    if (!series) return null;
    return {
      __typename: "ScheduleSeries",
      id: globalIdOf("ScheduleSeries", series.id),
      playlist: () => this.#playlist(series.playlist_id),
      channel: series.channel,
      timeZone: series.time_zone,
      startTime: series.start_time,
      weekdays: series.weekdays,
      everyWeeks: series.every_weeks,
      firstDay: series.first_day,
      lastDay: series.last_day,
      skippedDays: series.skipped_days,
      blockedDays: series.blocked_days,
      placedUntil: series.placed_until,
      version: series.version,
      createdAt: series.created_at,
      updatedAt: series.updated_at,
      schedules: (args: RangeArguments) => {
        const own = this.#tables.schedules.filter((schedule) => schedule.series_id === id);
        return this.#schedules(own, args, "SchedulesBySeries");
      },
    };
  }

  /** Goes through the tracks of each schedule until one has not ended. */
  #nowPlaying(channel: string): unknown {
    for (const schedule of this.#tables.schedules.filter((row) => row.channel === channel)) {
      let start = (schedule.starts_at as Date).getTime();
      for (const track of start <= this.#now.getTime() ? this.#tracksOf(schedule.playlist_id) : []) {
        const end = start + (track.duration_ms as number);
        if (this.#now.getTime() < end) {
          return {
            __typename: "NowPlaying",
            schedule: () => this.#schedule(schedule.id),
            track: () => this.#track(track.id),
            offsetMs: this.#now.getTime() - start,
            trackStartsAt: new Date(start),
            trackEndsAt: new Date(end),
          };
        }
        start = end;
      }
    }
    return null;
  }
}

function requireChannel(channel: string): string {
  if (channel.trim() === "") throw new Error("channel");
  return channel.trim();
}

const rankOrder = orderByText("RANK", "ASC", "rank");
const startOrder = orderBy("STARTS_AT", "ASC", "starts_at");
const firstDayOrder = orderByText("FIRST_DAY", "ASC", "first_day");
