/** Rules that span the services of audio, playlists and schedules, without a database. */
import { describe, expect, it } from "vitest";
import type { AudioRepository, LockedAudio } from "../src/audio/audio.repository.ts";
import { AudioService, type AudioServiceParts } from "../src/audio/audio.service.ts";
import { connect } from "../src/composition.ts";
import type { PlaylistRow, ScheduleRow } from "../src/database/generated/tables.ts";
import type { Services } from "../src/graphql/context.ts";
import { PlaylistService } from "../src/playlists/playlist.service.ts";
import { ScheduleService } from "../src/schedules/schedule.service.ts";
import type { Viewer } from "../src/viewer.ts";
import { PlaylistsInMemory } from "./support/in-memory-playlists.ts";
import { SchedulesInMemory } from "./support/in-memory-schedules.ts";

const viewer: Viewer = { id: "edith", role: "EDITOR", sessionId: "" };
const minute = 60_000;

type Work<Result> = (services: Pick<Services, "audio" | "playlists" | "schedules">) => Promise<Result>;

/** Services over repositories in memory, and units of work that restore the state when they fail. */
function setUp() {
  const playlists = new PlaylistsInMemory();
  const schedules = new SchedulesInMemory(playlists.playlists);
  const sounds = new Set<string>();
  const states: (Map<string, unknown> | Set<string>)[] = [
    playlists.audio,
    playlists.playlists,
    playlists.tracks,
    schedules.schedules,
    schedules.series,
    sounds,
  ];
  const services = connect({
    audio: new AudioService({ ...otherParts, uow: { ...otherParts.uow, audio: audioInMemory(sounds) }, viewer }),
    playlists: new PlaylistService({ playlists, viewer }),
    schedules: new ScheduleService({ schedules, viewer }),
  } as Services);
  const state = () => structuredClone(states);
  async function run<Result>(work: Work<Result>): Promise<Result> {
    const before = states.map((part) => [...part]);
    try {
      return await work(services);
    } catch (error) {
      for (const [index, part] of states.entries()) restore(part, before[index] ?? []);
      throw error;
    }
  }
  const addAudio = (title: string, durationMs: number) => {
    sounds.add(title);
    return playlists.addAudio(title, { durationMs });
  };
  return { run, state, addAudio, playlists, schedules };
}

function restore(part: Map<string, unknown> | Set<string>, entries: readonly unknown[]): void {
  part.clear();
  if (part instanceof Set) for (const entry of entries) part.add(entry as string);
  else for (const [key, value] of entries as [string, unknown][]) part.set(key, value);
}

const unused = () => Promise.reject(new Error("These tests send no files."));

/** What an upload needs. */
const otherParts: Omit<AudioServiceParts, "viewer" | "uow"> & { uow: Omit<AudioServiceParts["uow"], "audio"> } = {
  maxBytes: 0,
  uow: { reader: { read: unused }, prepare: unused, afterCommit: () => {} },
  files: { keep: unused, touch: unused, remove: unused, discard: unused, withStagedFile: unused },
  uploads: { stage: unused, remove: unused },
  tags: { read: unused },
};

const audioInMemory = (sounds: Set<string>): AudioRepository => ({
  ...{ createUnlessPresent: unused, isPresent: unused, findByHash: unused, hasFile: unused, update: unused },
  ...{ replaceFile: unused, makePending: unused, categoryExists: unused, eventExists: unused },
  lock: async (id) => (sounds.has(id) ? ({ id, title: id, version: 1, status: "COMPLETED" } as LockedAudio) : null),
  delete: async (id) => void sounds.delete(id),
});

const at = (time: string) => new Date(`2100-01-01T${time}:00Z`);
const endsOf = (schedules: Iterable<ScheduleRow>) =>
  [...schedules].map(({ channel, startsAt, endsAt }) =>
    [channel, ...[startsAt, endsAt].map((time) => time.toISOString().slice(11, 16))].join(" "),
  );

/** "morning", of 30 minutes, plays at 08:00 and 09:00 on "main"; "evening", of the same audio twice, on "foyer". */
async function withSchedules() {
  const parts = setUp();
  parts.addAudio("song", 10 * minute);
  parts.addAudio("talk", 20 * minute);
  const [morning, evening] = await parts.run(async ({ playlists, schedules }) => {
    const morning = await playlists.create({ name: "morning", audioIds: ["song", "talk"] });
    const evening = await playlists.create({ name: "evening", audioIds: ["song", "song", "talk"] });
    await schedules.create({ playlistId: morning.id, channel: "main", startsAt: at("08:00") });
    await schedules.create({ playlistId: morning.id, channel: "main", startsAt: at("09:00") });
    await schedules.create({ playlistId: evening.id, channel: "foyer", startsAt: at("18:00") });
    return [morning, evening] as const;
  });
  expect(endsOf(parts.schedules.schedules.values())).toEqual([
    "main 08:00 08:30",
    "main 09:00 09:30",
    "foyer 18:00 18:40",
  ]);
  const ends = () => endsOf(parts.schedules.schedules.values());
  const add = (playlist: PlaylistRow, ...audioIds: string[]) =>
    parts.run(({ playlists }) => playlists.addTracks({ playlistId: playlist.id, audioIds }));
  return { ...parts, morning, evening, ends, add };
}

describe("a playlist that becomes longer", () => {
  it("moves the ends of its schedules, and of no others", async () => {
    const { morning, add, ends } = await withSchedules();
    const { movedSchedules, playlist } = await add(morning, "talk");
    expect(playlist.durationMs).toBe(50 * minute);
    expect(endsOf(movedSchedules)).toEqual(["main 08:00 08:50", "main 09:00 09:50"]);
    expect(ends()).toEqual(["main 08:00 08:50", "main 09:00 09:50", "foyer 18:00 18:40"]);
  });

  it("does not, when one of its schedules would overlap another one: nothing changes", async () => {
    const { morning, add, state, run } = await withSchedules();
    await run(({ schedules }) => schedules.create({ playlistId: morning.id, channel: "main", startsAt: at("10:00") }));
    const before = state();
    await expect(add(morning, "talk", "song", "song")).rejects.toMatchObject({ code: "SCHEDULE_OVERLAP" });
    expect(state()).toEqual(before);
    // As long as the gap between them.
    expect(endsOf((await add(morning, "talk", "song")).movedSchedules)).toEqual([
      "main 08:00 09:00",
      "main 09:00 10:00",
      "main 10:00 11:00",
    ]);
  });

  it("is as it was when the schedules fail after it has changed", async () => {
    const { morning, add, state, schedules } = await withSchedules();
    const before = state();
    schedules.moveEnds = () => Promise.reject(new Error("The schedules fail."));
    await expect(add(morning, "talk")).rejects.toThrow("The schedules fail.");
    expect(state()).toEqual(before);
  });
});

describe("a playlist that becomes shorter", () => {
  it("moves the ends of its schedules, but is not emptied while it has any", async () => {
    const { morning, run, ends, state, playlists } = await withSchedules();
    const remove = (audioId: string) => {
      const track = [...playlists.tracks.values()].find(
        (one) => one.playlistId === morning.id && one.audioId === audioId,
      );
      return run(({ playlists }) => playlists.removeTrack({ trackId: track?.id ?? "" }));
    };
    expect(endsOf((await remove("song")).movedSchedules)).toEqual(["main 08:00 08:20", "main 09:00 09:20"]);
    expect(ends()).toEqual(["main 08:00 08:20", "main 09:00 09:20", "foyer 18:00 18:40"]);
    const before = state();
    await expect(remove("talk")).rejects.toMatchObject({ code: "INVALID_STATE" });
    expect(state()).toEqual(before);
  });
});

describe("an audio", () => {
  it("is not deleted while playlists contain it", async () => {
    const { run, state } = await withSchedules();
    const before = state();
    await expect(run(({ audio }) => audio.delete({ id: "song" }))).rejects.toMatchObject({ code: "INVALID_STATE" });
    expect(state()).toEqual(before);
  });

  it("is deleted with its tracks, and the schedules of all their playlists end earlier", async () => {
    const { run, ends, playlists, morning, evening } = await withSchedules();
    const moved = await run(({ audio }) => audio.delete({ id: "song", removeFromPlaylists: true }));
    expect(endsOf(moved)).toEqual(["main 08:00 08:20", "main 09:00 09:20", "foyer 18:00 18:20"]);
    expect(ends()).toEqual(endsOf(moved));
    expect([morning, evening].map(({ id }) => playlists.audioOf(id))).toEqual([["talk"], ["talk"]]);
  });

  it("stays, with all its tracks, when a schedule would be left without sound", async () => {
    const { run, state } = await withSchedules();
    await run(async ({ playlists, schedules }) => {
      const { id } = await playlists.create({ name: "song only", audioIds: ["song"] });
      await schedules.create({ playlistId: id, channel: "hall", startsAt: at("08:00") });
    });
    const before = state();
    const deletion = run(({ audio }) => audio.delete({ id: "song", removeFromPlaylists: true }));
    await expect(deletion).rejects.toMatchObject({ code: "INVALID_STATE" });
    expect(state()).toEqual(before);
  });
});

describe("a playlist with schedules to come", () => {
  it("is deleted when they go with it, and not otherwise", async () => {
    const { run, state, morning, playlists } = await withSchedules();
    const before = state();
    const { id } = morning;
    await expect(run(({ playlists }) => playlists.delete({ id }))).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: expect.stringContaining('"main" (2)'),
    });
    expect(state()).toEqual(before);
    await run(({ playlists }) => playlists.delete({ id, removeSchedules: true }));
    expect(playlists.playlists.has(id)).toBe(false);
  });
});
