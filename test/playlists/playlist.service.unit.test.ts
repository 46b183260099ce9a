/** The rules of playlists, without a database. */
import { describe, expect, it } from "vitest";
import type { AudioRow, PlaylistRow, ScheduleRow } from "../../src/database/generated/tables.ts";
import { ApplicationError } from "../../src/errors.ts";
import { PlaylistService } from "../../src/playlists/playlist.service.ts";
import type { Viewer } from "../../src/viewer.ts";
import { PlaylistsInMemory } from "../support/in-memory-playlists.ts";

const editor: Viewer = { id: "edith", role: "EDITOR", sessionId: "" };
const listener: Viewer = { id: "vera", role: "VIEWER", sessionId: "" };

function setUp({ viewer = editor } = {}) {
  const playlists = new PlaylistsInMemory();
  for (const title of ["a", "b", "c"]) playlists.addAudio(title);
  playlists.addAudio("long", { durationMs: 60_000 });
  playlists.addAudio("waiting", { status: "PENDING" });
  playlists.addAudio("broken", { status: "FAILED" });
  const service = new PlaylistService({ playlists, viewer });
  const told: unknown[] = [];
  const moved = { id: "a schedule" } as ScheduleRow;
  service.followers = {
    async playlistDurationsChanged(playlists) {
      for (const { name, durationMs } of playlists) told.push(["duration", name, durationMs]);
      return playlists.map(() => moved);
    },
    async beforePlaylistDeletion({ name }, options) {
      told.push(["deletion", name, options]);
    },
  };
  const order = (playlist: PlaylistRow) => playlists.audioOf(playlist.id).join(" ");
  const trackOf = (playlist: PlaylistRow, audioId: string) =>
    [...playlists.tracks.values()].find((track) => track.playlistId === playlist.id && track.audioId === audioId)
      ?.id as string;
  return { service, playlists, told, moved, order, trackOf };
}

/** The code and the input path of the error with which work ends. */
const refusal = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApplicationError)) throw error;
  return `${error.code} ${error.details.inputPath?.join(".")}`;
};
const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: Error) => error.message,
  );

describe("a new playlist", () => {
  it("belongs to its editor, and has a track for each audio in order", async () => {
    const { service, order } = setUp();
    const playlist = await service.create({ name: " Morning ", audioIds: ["b", "a", "b"] });
    expect(playlist).toMatchObject({ name: "Morning", ownerId: "edith", trackCount: 3, durationMs: 3_000, version: 2 });
    expect(order(playlist)).toBe("b a b");
  });

  it("may be empty", async () => {
    const { service, playlists } = setUp();
    for (const audioIds of [undefined, null, []]) {
      expect(await service.create({ name: "Empty", audioIds })).toMatchObject({ trackCount: 0, version: 1 });
    }
    expect(playlists.calls).toEqual(["create", "create", "create"]);
  });

  it("is refused with a bad name, too much audio, unknown audio, or audio that is not COMPLETED", async () => {
    const { service, playlists } = setUp();
    const create = (name: string, audioIds: string[] = []) => refusal(service.create({ name, audioIds }));
    expect(await create(" ")).toBe("BAD_USER_INPUT input.name");
    expect(await create("x".repeat(201))).toBe("BAD_USER_INPUT input.name");
    expect(await create("x", Array(1_001).fill("a"))).toBe("BAD_USER_INPUT input.audioIds");
    expect(await create("x", ["a", "none"])).toBe("NOT_FOUND input.audioIds");
    expect(await create("x", ["a", "waiting"])).toBe("INVALID_STATE input.audioIds");
    expect(playlists.playlists.size).toBe(0);
    expect((await service.create({ name: "x".repeat(200), audioIds: Array(1_000).fill("a") })).trackCount).toBe(1_000);
  });

  it("says which audio it cannot take, and what to do", async () => {
    const { service } = setUp();
    const create = (audioIds: string[]) => service.create({ name: "x", audioIds });
    expect(await messageOf(create(["a", "none"]))).toBe("There is no audio with the id at index 1: leave it out.");
    expect(await messageOf(create(["waiting"]))).toBe(
      'The audio "waiting" is PENDING: use it when it is COMPLETED, of which `audioChanged` tells.',
    );
    expect(await messageOf(create(["broken"]))).toBe(
      'The audio "broken" is FAILED: replace its file, or use another one.',
    );
    const error = await create(["waiting"]).catch((thrown: ApplicationError) => thrown);
    expect(error).toMatchObject({
      details: { audio: { __typename: "Audio", id: "waiting", title: "waiting", status: "PENDING" } },
    });
  });
});

describe("a playlist", () => {
  it("is renamed; the name that it has changes nothing", async () => {
    const { service, playlists } = setUp();
    const { id } = await service.create({ name: "Morning" });
    expect(await service.update({ id, expectedVersion: 1, name: " Noon " })).toMatchObject({
      name: "Noon",
      version: 2,
    });
    expect(await service.update({ id, expectedVersion: 2, name: "Noon" })).toMatchObject({ name: "Noon", version: 2 });
    expect(playlists.calls.filter((call) => call === "rename")).toHaveLength(1);
  });

  it("is copied for the viewer, under a name that is cut to 200 characters", async () => {
    const { service, order } = setUp();
    const original = await service.create({ name: `${"x".repeat(191)}🎵`, audioIds: ["c", "a"] });
    const copy = await service.copy({ id: original.id });
    expect(copy).toMatchObject({ name: `Copy of ${"x".repeat(191)}`, ownerId: "edith", trackCount: 2 });
    expect(copy.id).not.toBe(original.id);
    expect(order(copy)).toBe("c a");
    expect((await service.copy({ id: original.id, name: " Mine " })).name).toBe("Mine");
    expect(await refusal(service.copy({ id: original.id, name: "" }))).toBe("BAD_USER_INPUT input.name");
    expect(await refusal(service.copy({ id: "none" }))).toBe("NOT_FOUND input.id");
  });

  it("is not copied while the file of its audio is another that is not COMPLETED", async () => {
    const { service, playlists } = setUp();
    const { id } = await service.create({ name: "Morning", audioIds: ["a"] });
    playlists.addAudio("a", { status: "PROCESSING" });
    expect(await refusal(service.copy({ id }))).toBe("INVALID_STATE input.id");
    expect(playlists.playlists.size).toBe(1);
  });

  it("is deleted when its followers allow it", async () => {
    const { service, playlists, told } = setUp();
    const { id } = await service.create({ name: "Morning", audioIds: ["a"] });
    service.followers.beforePlaylistDeletion = async ({ name }, options) => {
      told.push([name, options]);
      if (!options.removeSchedules) throw new ApplicationError("INVALID_STATE", "It is scheduled.");
    };
    await expect(service.delete({ id })).rejects.toThrow("It is scheduled.");
    expect(playlists.playlists.size).toBe(1);
    await service.delete({ id, expectedVersion: 2, removeSchedules: true });
    expect([playlists.playlists.size, playlists.tracks.size]).toEqual([0, 0]);
    expect(told).toEqual([
      ["Morning", { removeSchedules: false }],
      ["Morning", { removeSchedules: true }],
    ]);
  });

  it("that does not exist is told from one that has changed", async () => {
    const { service, trackOf } = setUp();
    const playlist = await service.create({ name: "Morning", audioIds: ["a"] });
    const { id } = playlist;
    const trackId = trackOf(playlist, "a");
    expect(await refusal(service.update({ id: "none", expectedVersion: 1, name: "x" }))).toBe("NOT_FOUND input.id");
    expect(await refusal(service.delete({ id: "none" }))).toBe("NOT_FOUND input.id");
    expect(await refusal(service.addTracks({ playlistId: "none", audioIds: ["a"] }))).toBe(
      "NOT_FOUND input.playlistId",
    );
    expect(await refusal(service.removeTrack({ trackId: "none" }))).toBe("NOT_FOUND input.trackId");
    const stale = { expectedVersion: 1 };
    for (const work of [
      () => service.update({ id, ...stale, name: "x" }),
      () => service.delete({ id, ...stale }),
      () => service.addTracks({ playlistId: id, ...stale, audioIds: ["a"] }),
      () => service.moveTrack({ trackId, ...stale }),
      () => service.moveTracks({ trackIds: [trackId], ...stale }),
      () => service.removeTrack({ trackId, ...stale }),
    ]) {
      expect(await refusal(work())).toBe("CONFLICT input.expectedVersion");
    }
  });
});

describe("tracks", () => {
  it("are added at the end, before a track or after one, and their audio is locked first", async () => {
    const { service, playlists, order, trackOf } = setUp();
    const playlist = await service.create({ name: "Morning", audioIds: ["a", "b"] });
    playlists.calls.length = 0;
    await service.addTracks({ playlistId: playlist.id, audioIds: ["c"] });
    expect(playlists.calls).toEqual(["lock audio", "lock playlist", "add 1"]);
    expect(order(playlist)).toBe("a b c");
    const { tracks } = await service.addTracks({
      playlistId: playlist.id,
      audioIds: ["long", "c"],
      beforeTrackId: trackOf(playlist, "a"),
    });
    expect(tracks.map(({ audioId }) => audioId)).toEqual(["long", "c"]);
    expect(order(playlist)).toBe("long c a b c");
    await service.addTracks({ playlistId: playlist.id, audioIds: ["b"], afterTrackId: trackOf(playlist, "long") });
    expect(order(playlist)).toBe("long b c a b c");
  });

  it("that are added or removed tell followers the new duration, and which schedules have moved", async () => {
    const { service, told, moved, trackOf } = setUp();
    const playlist = await service.create({ name: "Morning", audioIds: ["a"] });
    expect(told).toEqual([]);
    const added = await service.addTracks({ playlistId: playlist.id, audioIds: ["long"], expectedVersion: 2 });
    expect(added).toMatchObject({ playlist: { durationMs: 61_000, version: 3 }, movedSchedules: [moved] });
    const removed = await service.removeTrack({ trackId: trackOf(playlist, "a"), expectedVersion: 3 });
    expect(removed).toMatchObject({ playlist: { durationMs: 60_000, version: 4 }, movedSchedules: [moved] });
    expect(told).toEqual([
      ["duration", "Morning", 61_000],
      ["duration", "Morning", 60_000],
    ]);
  });

  it("that last no time tell nobody", async () => {
    const { service, playlists, told } = setUp();
    playlists.addAudio("silent", { durationMs: 0 });
    const { id } = await service.create({ name: "Morning", audioIds: ["a"] });
    const { movedSchedules } = await service.addTracks({ playlistId: id, audioIds: ["silent"] });
    expect([movedSchedules, told]).toEqual([[], []]);
  });

  it("move alone, to the end or next to another", async () => {
    const { service, told, order, trackOf } = setUp();
    const playlist = await service.create({ name: "Morning", audioIds: ["a", "b", "c"] });
    const [a, b, c] = ["a", "b", "c"].map((audio) => trackOf(playlist, audio)) as [string, string, string];
    const { track, playlist: after } = await service.moveTrack({ trackId: a, expectedVersion: 2 });
    expect([track.id, after.version, order(playlist)]).toEqual([a, 3, "b c a"]);
    await service.moveTrack({ trackId: a, beforeTrackId: b });
    expect(order(playlist)).toBe("a b c");
    await service.moveTrack({ trackId: a, afterTrackId: b });
    expect(order(playlist)).toBe("b a c");
    await service.moveTrack({ trackId: a, afterTrackId: b });
    await service.moveTrack({ trackId: a, beforeTrackId: c });
    expect(order(playlist)).toBe("b a c");
    expect(told).toEqual([]);
  });

  it("move together, in the order of the ids", async () => {
    const { service, order, trackOf } = setUp();
    const playlist = await service.create({ name: "Morning", audioIds: ["a", "b", "c", "long"] });
    const ids = (audio: string) => [...audio].map((title) => trackOf(playlist, title));
    const long = trackOf(playlist, "long");
    const { tracks } = await service.moveTracks({ trackIds: ids("ca"), beforeTrackId: long });
    expect(tracks.map(({ audioId }) => audioId)).toEqual(["c", "a"]);
    expect(order(playlist)).toBe("b c a long");
    await service.moveTracks({ trackIds: ids("ab"), afterTrackId: long });
    expect(order(playlist)).toBe("c long a b");
  });

  it("get new ranks, all of them, when those between two would be too long", async () => {
    const { service, playlists, order, trackOf } = setUp();
    const playlist = await service.create({ name: "Morning", audioIds: ["a", "b", "c"] });
    const [a, b, c] = ["a", "b", "c"].map((audio) => trackOf(playlist, audio)) as [string, string, string];
    let moves = 0;
    for (; playlists.calls.filter((call) => call === "rank 3").length === 0; moves++) {
      await service.moveTrack({ trackId: moves % 2 === 0 ? b : a, beforeTrackId: c });
      expect(order(playlist)).toBe(moves % 2 === 0 ? "a b c" : "b a c");
    }
    expect(moves).toBeGreaterThan(100);
    expect(Math.max(...[...playlists.tracks.values()].map(({ rank }) => rank.length))).toBe(2);
    const { tracks } = await service.addTracks({ playlistId: playlist.id, audioIds: ["long"], beforeTrackId: c });
    expect(tracks).toHaveLength(1);
    expect(order(playlist)).toMatch(/^(a b|b a) long c$/);
  });

  it("are refused positions that are none", async () => {
    const { service, order, trackOf } = setUp();
    const playlist = await service.create({ name: "Morning", audioIds: ["a", "b"] });
    const other = await service.create({ name: "Noon", audioIds: ["c"] });
    const [a, b] = [trackOf(playlist, "a"), trackOf(playlist, "b")];
    const foreign = trackOf(other, "c");
    const add = { playlistId: playlist.id, audioIds: ["c"] };
    for (const field of ["beforeTrackId", "afterTrackId"]) {
      expect(await refusal(service.addTracks({ ...add, [field]: "none" }))).toBe(`NOT_FOUND input.${field}`);
      expect(await refusal(service.addTracks({ ...add, [field]: foreign }))).toBe(`BAD_USER_INPUT input.${field}`);
      expect(await refusal(service.moveTrack({ trackId: a, [field]: a }))).toBe(`BAD_USER_INPUT input.${field}`);
      expect(await refusal(service.moveTracks({ trackIds: [a, b], [field]: b }))).toBe(`BAD_USER_INPUT input.${field}`);
    }
    const both = { beforeTrackId: a, afterTrackId: b };
    expect(await refusal(service.addTracks({ ...add, ...both }))).toBe("BAD_USER_INPUT input.afterTrackId");
    expect(await refusal(service.moveTrack({ trackId: a, ...both }))).toBe("BAD_USER_INPUT input.afterTrackId");
    expect([order(playlist), order(other)]).toEqual(["a b", "c"]);
  });

  it("are named once, and are of one playlist", async () => {
    const { service, trackOf } = setUp();
    const playlist = await service.create({ name: "Morning", audioIds: ["a", "b"] });
    const other = await service.create({ name: "Noon", audioIds: ["c"] });
    const a = trackOf(playlist, "a");
    const move = (trackIds: string[]) => refusal(service.moveTracks({ trackIds }));
    expect(await move([])).toBe("BAD_USER_INPUT input.trackIds");
    expect(await move([a, a])).toBe("BAD_USER_INPUT input.trackIds");
    expect(await move(Array.from({ length: 1_001 }, (_, index) => `${index}`))).toBe("BAD_USER_INPUT input.trackIds");
    expect(await move([a, trackOf(other, "c")])).toBe("BAD_USER_INPUT input.trackIds");
    expect(await move([a, "none"])).toBe("NOT_FOUND input.trackIds");
    expect(await move(["none", a])).toBe("NOT_FOUND input.trackIds");
    expect(await refusal(service.addTracks({ playlistId: playlist.id, audioIds: [] }))).toBe(
      "BAD_USER_INPUT input.audioIds",
    );
  });
});

describe("an audio that is to be deleted", () => {
  const audio = { id: "a", title: "a" } as AudioRow;

  it("may be in no playlist, whose names the refusal says", async () => {
    const { service, playlists } = setUp();
    const remove = () => service.beforeAudioDeletion(audio, { removeFromPlaylists: false });
    expect(await remove()).toEqual([]);
    await service.create({ name: "One", audioIds: ["a"] });
    expect(await refusal(remove())).toBe("INVALID_STATE input.id");
    expect(await messageOf(remove())).toBe(
      'The audio "a" is in the playlist "One": remove it there, or delete it with `removeFromPlaylists`.',
    );
    for (const name of ["Two", "Three", "Four", "Five"]) await service.create({ name, audioIds: ["b", "a"] });
    expect(await messageOf(remove())).toBe(
      'The audio "a" is in the playlists "One", "Two", "Three" and 2 more: remove it there, or delete it with `removeFromPlaylists`.',
    );
    expect([...playlists.tracks.values()].filter(({ audioId }) => audioId === "a")).toHaveLength(5);
  });

  it("leaves its playlists if that is asked for, and followers of each are told", async () => {
    const { service, playlists, told, moved, order } = setUp();
    const one = await service.create({ name: "One", audioIds: ["a", "b", "a"] });
    const two = await service.create({ name: "Two", audioIds: ["c", "a"] });
    const three = await service.create({ name: "Three", audioIds: ["c"] });
    playlists.calls.length = 0;
    expect(await service.beforeAudioDeletion(audio, { removeFromPlaylists: true })).toEqual([moved, moved]);
    expect([one, two, three].map(order)).toEqual(["b", "c", "c"]);
    expect(told).toEqual([
      ["duration", "One", 1_000],
      ["duration", "Two", 1_000],
    ]);
    expect(playlists.calls).toEqual(["lock playlists"]);
  });
});

describe("viewers and strangers", () => {
  it.each([
    ["a viewer", listener, "FORBIDDEN undefined"],
    ["a stranger", null, "UNAUTHENTICATED undefined"],
  ])("change nothing: %s", async (_who, viewer, code) => {
    const { service, playlists } = setUp({ viewer });
    for (const work of [
      service.create({ name: "" }),
      service.update({ id: "x", expectedVersion: 1, name: "" }),
      service.delete({ id: "x" }),
      service.copy({ id: "x" }),
      service.addTracks({ playlistId: "x", audioIds: [] }),
      service.moveTrack({ trackId: "x" }),
      service.moveTracks({ trackIds: [] }),
      service.removeTrack({ trackId: "x" }),
    ]) {
      expect(await refusal(work)).toBe(code);
    }
    expect(playlists.calls).toEqual([]);
  });
});
