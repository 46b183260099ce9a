/** What `doctor` finds of playlists after a program has written past the triggers, and how it mends that. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import { uuidOf } from "../support/global-ids.ts";
import { countsIn, integrityOf } from "../support/integrity.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addPlayableAudio } from "../support/playable-audio.ts";

let lectern: Lectern;
let edith: Person;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  edith = await lectern.person("Edith", "EDITOR");
});
afterAll(() => lectern.stop());

const sums = "playlists whose number of tracks or duration differs from their tracks";
const durations = "tracks whose duration differs from their audio";

it("finds sums and durations that are wrong, mends them, and lets others be", async () => {
  const audioId = await addPlayableAudio(lectern.database, "Sound", 1_000);
  const make = async (audioIds: string[]) => {
    const { createPlaylist } = await edith.client.request(
      graphql(
        `mutation MakeChecked($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }`,
      ),
      { input: { name: "Checked", audioIds } },
    );
    return uuidOf(createPlaylist.playlist.id);
  };
  const [empty, miscounted, misdated, right] = await Promise.all([
    make([]),
    make([audioId]),
    make([audioId, audioId]),
    make([audioId]),
  ]);
  const pastTriggers = (statement: string, id: string | undefined) =>
    lectern.database.query(
      `do $$ begin set local session_replication_role = replica; ${statement.replace("ID", `'${id}'`)}; end $$`,
    );
  await pastTriggers("update playlists set track_count = 1 where id = ID", empty);
  await pastTriggers("update playlists set duration_ms = 5 where id = ID", miscounted);
  await pastTriggers("update playlist_tracks set duration_ms = 7 where playlist_id = ID", misdated);
  await pastTriggers("update playlists set duration_ms = 14 where id = ID", misdated);

  const { examine, repair } = integrityOf(lectern);
  const findings = await examine();
  expect(countsIn(findings)).toMatchObject({ [sums]: 2, [durations]: 2 });
  const idsOf = (complaint: string) => findings.find((finding) => finding.complaint === complaint)?.ids;
  expect(idsOf(sums)).toEqual([empty, miscounted].sort());

  await repair(findings);
  const after = countsIn(await examine());
  expect([after[sums], after[durations]]).toEqual([undefined, undefined]);
  const rows = await lectern.database.query("select id, track_count as count, duration_ms as ms from playlists");
  const shown = new Map(rows.map(({ id, count, ms }) => [id, `${count} tracks, ${ms} ms`]));
  expect([empty, miscounted, misdated, right].map((id) => shown.get(id))).toEqual([
    "0 tracks, 0 ms",
    "1 tracks, 1000 ms",
    "2 tracks, 2000 ms",
    "1 tracks, 1000 ms",
  ]);
});
