/** The life of a playlist as editors and listeners see it, through the public API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import type { AddTracksInput, MoveTrackInput, MoveTracksInput } from "../support/client/generated/graphql.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, type ShownError, startLectern } from "../support/lectern.ts";
import { addPendingAudio, addPlayableAudio } from "../support/playable-audio.ts";
import { decode } from "../support/playlist-rows.ts";
import { watchBySse } from "../support/watching.ts";

let lectern: Lectern;
let edith: Person;
let paul: Person;
let vera: Person;
/** Global ids of audio. */
let [bells, song, news, jingle]: string[] = [];

beforeAll(async () => {
  lectern = await startLectern();
  edith = await lectern.person("Edith", "EDITOR");
  paul = await lectern.person("Paul", "EDITOR");
  vera = await lectern.person("Vera");
  bells = await addPlayableAudio(lectern.database, "Bells", 2_000);
  song = await addPlayableAudio(lectern.database, "Song", 180_000);
  news = await addPlayableAudio(lectern.database, "News", 600_000);
  jingle = await addPlayableAudio(lectern.database, "Jingle", 0);
});
afterAll(() => lectern.stop());

const Create = graphql(`
  mutation CreatePlaylist($input: CreatePlaylistInput!) {
    createPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }
  }
`);
const Read = graphql(`
  query ReadPlaylist($id: ID!) {
    playlist(id: $id) {
      id name version trackCount durationMs owner { name } createdAt updatedAt
      tracks(first: 100) { totalCount nodes { id position durationMs audio { title } playlist { id } } }
    }
  }
`);
const Rename = graphql(`
  mutation RenamePlaylist($input: UpdatePlaylistInput!) { updatePlaylist(input: $input) { playlist { name version } } }
`);
const Delete = graphql(`
  mutation DeletePlaylist($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }
`);
const Copy = graphql(`
  mutation CopyPlaylist($input: CopyPlaylistInput!) {
    copyPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }
  }
`);
const Add = graphql(`
  mutation AddTracks($input: AddTracksInput!) {
    addTracks(input: $input) {
      playlist { version trackCount durationMs }
      tracks { id position durationMs audio { title } }
    }
  }
`);
const Move = graphql(`
  mutation MoveTrack($input: MoveTrackInput!) {
    moveTrack(input: $input) { playlist { version durationMs } track { id position } }
  }
`);
const MoveMany = graphql(`
  mutation MoveTracks($input: MoveTracksInput!) {
    moveTracks(input: $input) { playlist { version } tracks { id position } }
  }
`);
const Remove = graphql(`
  mutation RemoveTrack($input: RemoveTrackInput!) {
    removeTrack(input: $input) { playlist { version trackCount durationMs } removedTrackId }
  }
`);
const List = graphql(`
  query ListPlaylists($search: String, $orderBy: PlaylistOrder) {
    playlists(search: $search, orderBy: $orderBy) { totalCount nodes { name } }
  }
`);

async function make(name: string, audioIds: (string | undefined)[] = [], by = edith) {
  const input = { name, audioIds: audioIds as string[] };
  const { createPlaylist } = await by.client.request(Create, { input });
  return read(createPlaylist.playlist.id);
}
async function read(id: string, by = vera) {
  const { playlist } = await by.client.request(Read, { id });
  if (!playlist) throw new Error("There is no such playlist.");
  return {
    ...playlist,
    titles: titlesOf(playlist.tracks.nodes),
    trackIds: playlist.tracks.nodes.map((node) => node.id),
  };
}
const titlesOf = (tracks: readonly { audio: { title: string } }[]) => tracks.map(({ audio }) => audio.title).join(" ");
const add = async (input: AddTracksInput, by = edith) => (await by.client.request(Add, { input })).addTracks;
const move = async (input: MoveTrackInput, by = edith) => (await by.client.request(Move, { input })).moveTrack;
const moveMany = async (input: MoveTracksInput) => (await edith.client.request(MoveMany, { input })).moveTracks;

const firstErrorOf = async (request: Promise<unknown>) => (await errorsOf(request))[0] as ShownError;
const codeOf = ({ extensions }: ShownError) => [extensions.code, extensions.inputPath?.join(".")];
const missing = (type: string) => globalIdOf(type, "00000000-0000-7000-8000-000000000000");

describe("a playlist", () => {
  it("is built, put in order, renamed, copied and deleted", async () => {
    await make("Another one", [news, song, jingle, bells, news]);
    const { createPlaylist } = await edith.client.request(Create, {
      input: { name: " Morning show ", audioIds: [bells as string, news as string, bells as string] },
    });
    const { id } = createPlaylist.playlist;
    expect(createPlaylist.playlist).toEqual({
      id,
      name: "Morning show",
      version: 2,
      trackCount: 3,
      durationMs: 604_000,
      owner: { name: "Edith" },
    });
    const made = await read(id);
    expect(made.titles).toBe("Bells News Bells");
    expect(made.tracks.totalCount).toBe(3);
    expect(made.tracks.nodes.map((track) => [track.position, track.durationMs, track.playlist.id])).toEqual([
      [0, 2_000, id],
      [1, 600_000, id],
      [2, 2_000, id],
    ]);

    const added = await add({
      playlistId: id,
      expectedVersion: 2,
      audioIds: [song, jingle] as string[],
      afterTrackId: made.trackIds[1],
    });
    expect(added.playlist).toEqual({ version: 3, trackCount: 5, durationMs: 784_000 });
    expect(added.tracks.map(({ id: _id, ...track }) => track)).toEqual([
      { position: 2, durationMs: 180_000, audio: { title: "Song" } },
      { position: 3, durationMs: 0, audio: { title: "Jingle" } },
    ]);
    expect((await read(id)).titles).toBe("Bells News Song Jingle Bells");

    const trackId = added.tracks[0]?.id as string;
    const moved = await move({ trackId, expectedVersion: 3, beforeTrackId: made.trackIds[0] });
    expect(moved).toEqual({ playlist: { version: 4, durationMs: 784_000 }, track: { id: trackId, position: 0 } });
    const [first, second] = made.trackIds as [string, string];
    const together = await moveMany({ trackIds: [second, first] });
    expect(together).toEqual({
      playlist: { version: 5 },
      tracks: [
        { id: second, position: 3 },
        { id: first, position: 4 },
      ],
    });
    expect((await read(id)).titles).toBe("Song Jingle Bells News Bells");

    const { removeTrack } = await paul.client.request(Remove, { input: { trackId, expectedVersion: 5 } });
    expect(removeTrack).toEqual({
      playlist: { version: 6, trackCount: 4, durationMs: 604_000 },
      removedTrackId: trackId,
    });
    const renaming = { id, expectedVersion: 6, name: "Evening show" };
    const { updatePlaylist } = await paul.client.request(Rename, { input: renaming });
    expect(updatePlaylist.playlist).toEqual({ name: "Evening show", version: 7 });

    const { copyPlaylist } = await paul.client.request(Copy, { input: { id } });
    const copy = copyPlaylist.playlist;
    expect(copy).toMatchObject({ name: "Copy of Evening show", trackCount: 4, durationMs: 604_000 });
    expect(copy.owner).toEqual({ name: "Paul" });
    const [original, copied] = [await read(id), await read(copy.id)];
    expect(copied.titles).toBe("Jingle Bells News Bells");
    expect(copied.trackIds.filter((one) => original.trackIds.includes(one))).toEqual([]);
    expect(original).toMatchObject({ titles: copied.titles, version: 7 });

    const { deletePlaylist } = await edith.client.request(Delete, { input: { id, expectedVersion: 7 } });
    expect(deletePlaylist).toEqual({ deletedId: id });
    expect((await vera.client.request(Read, { id })).playlist).toBeNull();
    expect(
      await lectern.database.query("select 1 from playlist_tracks where playlist_id not in (select id from playlists)"),
    ).toEqual([]);
    expect((await read(copy.id)).titles).toBe("Jingle Bells News Bells");
  });

  it("is as long as its audio, also when a worker finds another duration", async () => {
    const audioId = await addPlayableAudio(lectern.database, "Serial", 5_000);
    const { id, version } = await make("Serials", [audioId, bells, audioId]);
    await lectern.database.query(
      "update audio set storage_key = gen_random_uuid(), status = 'PENDING' where title = $1",
      ["Serial"],
    );
    expect(await read(id)).toMatchObject({ durationMs: 12_000, version });
    await decode(lectern.database, uuidOf(audioId), 7_500);
    const after = await read(id);
    expect(after).toMatchObject({ durationMs: 17_000, version: version + 1 });
    expect(after.tracks.nodes.map((track) => track.durationMs)).toEqual([7_500, 2_000, 7_500]);
  });

  it("keeps its audio from deletion, unless that is to remove its tracks", async () => {
    const audioId = await addPlayableAudio(lectern.database, "Old news", 30_000);
    const { id } = await make("Archive", [audioId, bells, audioId]);
    const remove = (input: object) =>
      edith.client.request("mutation ($input: DeleteAudioInput!) { deleteAudio(input: $input) { deletedId } }", {
        input: { id: audioId, ...input },
      });
    const refused = await firstErrorOf(remove({}));
    expect(codeOf(refused)).toEqual(["INVALID_STATE", "input.id"]);
    expect(refused.message).toContain('"Archive"');
    expect(refused.extensions.playlists).toEqual([{ __typename: "Playlist", id, name: "Archive" }]);
    await remove({ removeFromPlaylists: true });
    expect(await read(id)).toMatchObject({ titles: "Bells", trackCount: 1, durationMs: 2_000 });
  });
});

describe("a stale version", () => {
  it("is a conflict that shows the playlist as it is, and changes nothing", async () => {
    const { id, trackIds } = await make("Contested", [bells, song]);
    const [trackId] = trackIds as [string];
    await move({ trackId }, paul);
    const before = await read(id);
    expect(before).toMatchObject({ version: 3, titles: "Song Bells" });
    const stale = { expectedVersion: 2 };
    for (const request of [
      () => add({ playlistId: id, ...stale, audioIds: [news as string] }),
      () => move({ trackId, ...stale }),
      () => moveMany({ trackIds, ...stale }),
      () => edith.client.request(Remove, { input: { trackId, ...stale } }),
      () => edith.client.request(Rename, { input: { id, ...stale, name: "Mine" } }),
      () => edith.client.request(Delete, { input: { id, ...stale } }),
    ]) {
      const error = await firstErrorOf(request());
      expect(codeOf(error)).toEqual(["CONFLICT", "input.expectedVersion"]);
      expect(error.extensions.current).toMatchObject({ __typename: "Playlist", id, version: 3, name: "Contested" });
    }
    expect(await read(id)).toEqual(before);
  });
});

describe("what cannot be", () => {
  let playlistId: string;
  let trackIds: string[];
  let foreignTrackId: string;

  beforeAll(async () => {
    ({ id: playlistId, trackIds } = await make("Strict", [bells, song]));
    foreignTrackId = (await make("Elsewhere", [news])).trackIds[0] as string;
  });

  it("is refused with the field and the reason, and changes nothing", async () => {
    const before = await read(playlistId);
    const add1 = { playlistId, audioIds: [news as string] };
    const [trackId, neighbour] = trackIds as [string, string];
    const removed = missing("PlaylistTrack");
    const cases: [() => Promise<unknown>, string, string][] = [
      [() => add({ ...add1, beforeTrackId: removed }), "NOT_FOUND", "beforeTrackId"],
      [() => add({ ...add1, afterTrackId: removed }), "NOT_FOUND", "afterTrackId"],
      [() => add({ ...add1, afterTrackId: foreignTrackId }), "BAD_USER_INPUT", "afterTrackId"],
      [() => add({ ...add1, afterTrackId: trackId, beforeTrackId: neighbour }), "BAD_USER_INPUT", "afterTrackId"],
      [() => add({ ...add1, afterTrackId: news }), "BAD_USER_INPUT", "afterTrackId"],
      [() => add({ ...add1, playlistId: missing("Playlist") }), "NOT_FOUND", "playlistId"],
      [() => add({ ...add1, audioIds: [news as string, missing("Audio")] }), "NOT_FOUND", "audioIds"],
      [() => add({ ...add1, audioIds: [trackId] }), "BAD_USER_INPUT", "audioIds"],
      [() => add({ ...add1, audioIds: [] }), "BAD_USER_INPUT", "audioIds"],
      [() => add({ ...add1, audioIds: Array(1_001).fill(news) }), "BAD_USER_INPUT", "audioIds"],
      [() => move({ trackId: removed }), "NOT_FOUND", "trackId"],
      [() => move({ trackId, beforeTrackId: trackId }), "BAD_USER_INPUT", "beforeTrackId"],
      [() => moveMany({ trackIds: [trackId, trackId] }), "BAD_USER_INPUT", "trackIds"],
      [() => moveMany({ trackIds: [trackId, foreignTrackId] }), "BAD_USER_INPUT", "trackIds"],
      [() => moveMany({ trackIds: [trackId], afterTrackId: foreignTrackId }), "BAD_USER_INPUT", "afterTrackId"],
      [() => edith.client.request(Remove, { input: { trackId: removed } }), "NOT_FOUND", "trackId"],
      [() => edith.client.request(Copy, { input: { id: missing("Playlist") } }), "NOT_FOUND", "id"],
      [() => edith.client.request(Create, { input: { name: "" } }), "BAD_USER_INPUT", "name"],
    ];
    for (const [index, [request, code, field]] of cases.entries()) {
      expect([index, ...codeOf(await firstErrorOf(request()))]).toEqual([index, code, `input.${field}`]);
    }
    expect(await read(playlistId)).toEqual(before);
  });

  it("names the audio that is not there or not COMPLETED", async () => {
    const waiting = await addPendingAudio(lectern.database, "Fresh take");
    const gone = missing("Audio");
    const notThere = await firstErrorOf(add({ playlistId, audioIds: [news as string, gone] }));
    expect(notThere.message).toBe("There is no audio with the id at index 1: leave it out.");
    expect(notThere.extensions.audio).toEqual({ __typename: "Audio", id: gone });
    const pending = await firstErrorOf(edith.client.request(Create, { input: { name: "x", audioIds: [waiting] } }));
    expect(codeOf(pending)).toEqual(["INVALID_STATE", "input.audioIds"]);
    expect(pending.message).toMatch(/^The audio "Fresh take" is PENDING: /);
    expect(pending.extensions.audio).toEqual({
      __typename: "Audio",
      id: waiting,
      title: "Fresh take",
      status: "PENDING",
    });
    expect((await vera.client.request(List, { search: "x" })).playlists.nodes).not.toContainEqual({ name: "x" });
  });

  it("is a playlist of more than a week, or of more than 5000 tracks", async () => {
    const day = await addPlayableAudio(lectern.database, "A day", 86_400_000);
    const { id } = await make("Weeks", Array(7).fill(day));
    const tooLong = await firstErrorOf(add({ playlistId: id, audioIds: [bells as string] }));
    expect([tooLong.extensions.code, tooLong.message]).toEqual([
      "INVALID_STATE",
      expect.stringMatching(/^The playlist "Weeks" would last \S+ hours: a week, 168 hours, is the maximum\.$/),
    ]);
    expect(await read(id)).toMatchObject({ trackCount: 7, durationMs: 604_800_000 });

    const many = await make("Jingles", Array(1_000).fill(jingle));
    for (let count = 1; count < 5; count++) {
      await edith.client.request(
        graphql(`mutation AddMany($input: AddTracksInput!) { addTracks(input: $input) { playlist { trackCount } } }`),
        { input: { playlistId: many.id, audioIds: Array(1_000).fill(jingle) } },
      );
    }
    const tooMany = await firstErrorOf(add({ playlistId: many.id, audioIds: [jingle as string] }));
    expect([tooMany.extensions.code, tooMany.message]).toEqual([
      "INVALID_STATE",
      'The playlist "Jingles" would have 5001 tracks: 5000 is the maximum.',
    ]);
    expect(await read(many.id)).toMatchObject({ trackCount: 5_000 });
  });

  it("costs what it reads: many tracks with wide pages are refused before they are added", async () => {
    const query = (page: number) => `mutation ($input: AddTracksInput!) {
      addTracks(input: $input) {
        playlist { tracks(first: 100) { nodes { audio { title } } } }
        tracks { audio { playlists(first: ${page}) { nodes { name } } } }
      }
    }`;
    const { id } = await make("Costly");
    const send = (page: number, count: number) =>
      edith.client.request(query(page), { input: { playlistId: id, audioIds: Array(count).fill(jingle) } });
    const error = await firstErrorOf(send(10, 1_000));
    expect(error.extensions).toMatchObject({ code: "BAD_USER_INPUT", maxCost: 5_000 });
    expect((await read(id)).trackCount).toBe(0);
    await send(10, 100);
    await send(1, 1_000);
    expect((await read(id)).trackCount).toBe(1_100);
  });
});

describe("lists of playlists", () => {
  it("are searched without accents and ordered, and are those of a user or an audio", async () => {
    const nora = await lectern.person("Nora", "EDITOR");
    const own = await addPlayableAudio(lectern.database, "Own", 1_000);
    await make("Zwölf Lieder", [own, own], nora);
    await make("Ångström", [], nora);
    await make("Người đẹp", [own], nora);
    const names = async (variables: object) =>
      (await vera.client.request(List, variables)).playlists.nodes.map(({ name }) => name);
    expect(await names({ search: "zwolf" })).toEqual(["Zwölf Lieder"]);
    expect(await names({ search: "nguoi dep" })).toEqual(["Người đẹp"]);
    const all = await names({});
    expect(all).toEqual([...all].sort(new Intl.Collator("en").compare));
    expect((await names({ orderBy: { field: "CREATED_AT", direction: "DESC" } })).slice(0, 2)).toEqual([
      "Người đẹp",
      "Ångström",
    ]);
    const { user, audio } = await vera.client.request(
      graphql(`
        query PlaylistsOf($userId: ID!, $audioId: ID!) {
          user(id: $userId) { playlists(orderBy: { field: NAME, direction: DESC }) { totalCount nodes { name } } }
          audio(id: $audioId) { playlists { totalCount nodes { name } } }
        }
      `),
      { userId: nora.id, audioId: own },
    );
    expect(user?.playlists).toEqual({
      totalCount: 3,
      nodes: [{ name: "Zwölf Lieder" }, { name: "Người đẹp" }, { name: "Ångström" }],
    });
    expect(audio?.playlists).toEqual({ totalCount: 2, nodes: [{ name: "Người đẹp" }, { name: "Zwölf Lieder" }] });
  });
});

describe("readers", () => {
  it("see every playlist and change none; strangers see nothing", async () => {
    const { id, trackIds } = await make("Public", [bells, song]);
    const before = await read(id);
    const [trackId] = trackIds as [string];
    const stranger = { ...vera, client: lectern.client() };
    for (const [person, code] of [
      [vera, "FORBIDDEN"],
      [stranger, "UNAUTHENTICATED"],
    ] as const) {
      for (const request of [
        () => person.client.request(Create, { input: { name: "x" } }),
        () => person.client.request(Rename, { input: { id, expectedVersion: 2, name: "x" } }),
        () => person.client.request(Delete, { input: { id } }),
        () => person.client.request(Copy, { input: { id } }),
        () => add({ playlistId: id, audioIds: [bells as string] }, person),
        () => move({ trackId }, person),
        () => person.client.request(MoveMany, { input: { trackIds } }),
        () => person.client.request(Remove, { input: { trackId } }),
      ]) {
        expect((await firstErrorOf(request())).extensions.code).toBe(code);
      }
    }
    expect((await firstErrorOf(stranger.client.request(Read, { id }))).extensions.code).toBe("UNAUTHENTICATED");
    expect(await read(id)).toEqual(before);
  });
});

describe("watchers of a playlist", () => {
  it("are told each change of its tracks and their order once, and its end", async () => {
    const { id, trackIds } = await make("Watched", [bells]);
    await make("Not watched", [bells]);
    const watching = await watchBySse<{ playlistChanged: { playlist: { version: number } | null; deletedId: string } }>(
      lectern.url,
      {
        query: `subscription ($id: ID) { playlistChanged(id: $id) { deletedId playlist { version trackCount } } }`,
        variables: { id },
        accessToken: vera.accessToken,
      },
    );
    const next = async () => (await watching.next()).data?.playlistChanged;
    await add({ playlistId: id, audioIds: [song, news] as string[] });
    expect(await next()).toEqual({ deletedId: null, playlist: { version: 3, trackCount: 3 } });
    await move({ trackId: trackIds[0] as string });
    expect(await next()).toEqual({ deletedId: null, playlist: { version: 4, trackCount: 3 } });
    await edith.client.request(Delete, { input: { id } });
    expect(await next()).toEqual({ deletedId: id, playlist: null });
    watching.close();
  });
});
