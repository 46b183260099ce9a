/** Many clients that change the order of one playlist at once, and very many changes at one position. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { longestRank } from "../../src/playlists/rank.ts";
import { graphql } from "../support/client/generated/gql.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addPlayableAudio } from "../support/playable-audio.ts";

let lectern: Lectern;
let edith: Person;
let audioId: string;

beforeAll(async () => {
  lectern = await startLectern();
  edith = await lectern.person("Edith", "EDITOR");
  audioId = await addPlayableAudio(lectern.database, "Sound", 1_000);
});
afterAll(() => lectern.stop());

const MakeTracks = graphql(`
  mutation MakeTracks($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id version } } }
`);
const ReadOrder = graphql(`
  query ReadOrder($id: ID!) {
    playlist(id: $id) { version trackCount durationMs tracks(first: 100) { nodes { id position } } }
  }
`);

async function make(count: number) {
  const input = { name: "Order", audioIds: Array(count).fill(audioId) };
  const { createPlaylist } = await edith.client.request(MakeTracks, { input });
  return createPlaylist.playlist;
}
async function read(id: string) {
  const { playlist } = await edith.client.request(ReadOrder, { id });
  if (!playlist) throw new Error("The playlist is gone.");
  const { nodes } = playlist.tracks;
  return { ...playlist, ids: nodes.map((node) => node.id), positions: nodes.map((node) => node.position) };
}
const positionsOf = (ids: readonly string[]) => ids.map((_id, index) => index);
const longestIn = async (playlistId: string) => {
  const statement = "select max(length(rank)) as longest from playlist_tracks where playlist_id = $1";
  return (await lectern.database.query(statement, [uuidOf(playlistId)]))[0]?.longest as number;
};

/** One change that was committed, by the version that it made: an order of all changes in which each has seen the last. */
type Change = { version: number; apply(order: string[]): void };
type Neighbour = { beforeTrackId?: string; afterTrackId?: string };

function insert(order: string[], ids: readonly string[], { beforeTrackId, afterTrackId }: Neighbour): void {
  const neighbour = beforeTrackId ?? afterTrackId;
  const index = neighbour === undefined ? order.length : order.indexOf(neighbour) + (afterTrackId ? 1 : 0);
  order.splice(index, 0, ...ids);
}
function remove(order: string[], ids: readonly string[]): void {
  for (const id of ids) order.splice(order.indexOf(id), 1);
}

const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item;
const somewhere = (ids: readonly string[]): Neighbour =>
  pick([{ beforeTrackId: pick(ids) }, { afterTrackId: pick(ids) }, {}]);

async function move(ids: readonly string[]): Promise<Change> {
  const trackIds = [...new Set([pick(ids), ...(Math.random() < 0.3 ? [pick(ids), pick(ids)] : [])])];
  const neighbour = somewhere(ids.filter((id) => !trackIds.includes(id)));
  const { moveTracks } = await edith.client.request<{ moveTracks: { playlist: { version: number } } }>(
    "mutation ($input: MoveTracksInput!) { moveTracks(input: $input) { playlist { version } } }",
    { input: { trackIds, ...neighbour } },
  );
  return {
    version: moveTracks.playlist.version,
    apply(order) {
      remove(order, trackIds);
      insert(order, trackIds, neighbour);
    },
  };
}

async function add(playlistId: string, ids: string[]): Promise<Change> {
  const neighbour = somewhere(ids);
  const { addTracks } = await edith.client.request<{
    addTracks: { playlist: { version: number }; tracks: { id: string }[] };
  }>("mutation ($input: AddTracksInput!) { addTracks(input: $input) { playlist { version } tracks { id } } }", {
    input: { playlistId, audioIds: [audioId, audioId], ...neighbour },
  });
  const added = addTracks.tracks.map(({ id }) => id);
  ids.push(...added);
  return { version: addTracks.playlist.version, apply: (order) => insert(order, added, neighbour) };
}

async function removeOne(ids: string[]): Promise<Change> {
  const trackId = pick(ids);
  ids.splice(ids.indexOf(trackId), 1);
  const { removeTrack } = await edith.client.request<{ removeTrack: { playlist: { version: number } } }>(
    "mutation ($input: RemoveTrackInput!) { removeTrack(input: $input) { playlist { version } } }",
    { input: { trackId } },
  );
  return { version: removeTrack.playlist.version, apply: (order) => remove(order, [trackId]) };
}

/** Does the work in eight clients at once, so many times in each. */
async function together(times: number, work: () => Promise<Change | null>): Promise<Change[]> {
  const changes: Change[] = [];
  const client = async () => {
    for (let count = 0; count < times; count++) {
      const change = await work();
      if (change) changes.push(change);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return changes.sort((one, other) => one.version - other.version);
}

function replay(ids: readonly string[], changes: readonly Change[]): string[] {
  const order = [...ids];
  for (const { apply } of changes) apply(order);
  return order;
}

describe("eight clients", () => {
  it("make 200 moves at once, none of which is lost, and lose no track", async () => {
    const { id, version } = await make(30);
    const { ids } = await read(id);
    const changes = await together(25, () => move(ids));
    const after = await read(id);
    expect([...after.ids].sort()).toEqual([...ids].sort());
    expect(after.positions).toEqual(positionsOf(ids));
    expect(after).toMatchObject({ trackCount: 30, durationMs: 30_000 });
    const versions = changes.map((change) => change.version);
    expect([new Set(versions).size, Math.min(...versions) > version, versions.at(-1)]).toEqual([
      200,
      true,
      after.version,
    ]);
    // The same moves, one after the other, in the order of the versions that they made.
    expect(after.ids).toEqual(replay(ids, changes));
  });

  it("add, move and remove tracks at once; those next to a track that is gone are told so", async () => {
    const { id } = await make(20);
    const before = await read(id);
    const ids = [...before.ids];
    const changes = await together(8, async () => {
      const work = pick([() => move(ids), () => add(id, ids), () => removeOne(ids)])();
      const change = await work.catch(() => null);
      if (change) return change;
      const [error] = await errorsOf(work);
      expect([error?.extensions.code, error?.message]).toEqual(["NOT_FOUND", expect.stringContaining("was removed")]);
      return null;
    });
    const after = await read(id);
    expect(after.ids).toEqual(replay(before.ids, changes));
    expect(after.positions).toEqual(positionsOf(after.ids));
    expect(after).toMatchObject({ trackCount: after.ids.length, durationMs: after.ids.length * 1_000 });
  });
});

/** The same as by HTTP, in units of work of a hundred moves each. */
async function moveOften(playlistId: string, moves: number, move: (count: number) => Neighbour & { trackId: string }) {
  const { id } = edith;
  const viewer = { id: uuidOf(id), role: "EDITOR", sessionId: "" } as const;
  for (let done = 0; done < moves; done += 100) {
    await lectern.application.run({ name: "move often" }, async (uow) => {
      const { playlists } = lectern.application.services(uow, viewer);
      for (let count = done; count < done + 100; count++) await playlists.moveTrack(move(count));
    });
    expect(await longestIn(playlistId)).toBeLessThanOrEqual(longestRank);
  }
}

describe("ranks", () => {
  // Ten thousand take half a minute.
  const moves = process.env.LECTERN_LONG ? 10_000 : 1_000;

  it(`stay short after ${moves} moves to one position`, { timeout: 300_000 }, async () => {
    const { id, version } = await make(10);
    const { ids } = await read(id);
    const uuids = ids.map(uuidOf);
    const last = uuids[9] as string;
    await moveOften(id, moves, (count) => ({ trackId: uuids[count % 9] as string, beforeTrackId: last }));
    const after = await read(id);
    // The last nine moves in their order, before the track that has not moved.
    const moved = [...Array(9).keys()].map((count) => ids[(moves - 9 + count) % 9] as string);
    expect(after.ids).toEqual([...moved, ids[9]]);
    // Each is one statement, and new ranks for the others are another.
    const reranked = after.version - version - moves;
    expect(reranked).toBeGreaterThanOrEqual(moves / 500);
    expect(reranked).toBeLessThanOrEqual(moves / 50);
  });

  it("of another program are replaced when there is no room next to them", async () => {
    const { id } = await make(2);
    const [first, second] = (await read(id)).ids as [string, string];
    for (const rank of ["0", "zzz", "a00"]) {
      await lectern.database.query("update playlist_tracks set rank = $2 where id = $1", [uuidOf(first), rank]);
      const neighbour = { afterTrackId: first };
      const { moveTrack } = await edith.client.request<{ moveTrack: { track: { id: string } } }>(
        "mutation ($input: MoveTrackInput!) { moveTrack(input: $input) { track { id } } }",
        { input: { trackId: second, ...neighbour } },
      );
      expect([moveTrack.track.id, (await read(id)).ids]).toEqual([second, [first, second]]);
    }
  });

  it("are new ones for 1,000 tracks that come between two, which keep the order of their audio", async () => {
    const titles = ["One", "Two", "Three"];
    const audio = await Promise.all(titles.map((title) => addPlayableAudio(lectern.database, title, 1_000)));
    const { id } = await make(2);
    const [, afterwards] = (await read(id)).ids as [string, string];
    const input = {
      playlistId: id,
      audioIds: Array.from({ length: 1_000 }, (_, index) => audio[index % 3] as string),
      beforeTrackId: afterwards,
    };
    await edith.client.request("mutation ($input: AddTracksInput!) { addTracks(input: $input) { playlist { id } } }", {
      input,
    });
    const rows = await lectern.database.query(
      "select audio_id from playlist_tracks where playlist_id = $1 order by rank",
      [uuidOf(id)],
    );
    const inOrder = rows.map(({ audio_id }) => globalIdOf("Audio", audio_id as string));
    expect(inOrder).toEqual([audioId, ...input.audioIds, audioId]);
    expect(await longestIn(id)).toBeLessThanOrEqual(6);
  });
});
