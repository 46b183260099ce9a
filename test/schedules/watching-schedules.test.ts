/** Changes of schedules as they happen, of all channels or of one. */
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { globalIdOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addAudio, addPlaylist } from "../support/playlist-rows.ts";
import { type Watch, watchBySse } from "../support/watching.ts";

let lectern: Lectern;
let ed: Person;
let vera: Person;
let playlistId: string;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  ed = await lectern.person("Ed", "EDITOR");
  vera = await lectern.person("Vera");
  playlistId = globalIdOf("Playlist", await addPlaylist(lectern.database, [60_000]));
});
afterAll(() => lectern.stop());

type Change = {
  scheduleChanged: {
    cursor: string;
    deletedId: string | null;
    schedule: { id: string; channel: string; endsAt: string } | null;
  };
};
const query = `subscription ($channel: String, $id: ID, $after: String) {
  scheduleChanged(channel: $channel, id: $id, after: $after) { cursor deletedId schedule { id channel endsAt } }
}`;
async function watch(variables: { channel?: string; id?: string; after?: string }): Promise<Watch<Change>> {
  const watch = await watchBySse<Change>(lectern.url, { query, variables, accessToken: vera.accessToken });
  onTestFinished(() => watch.close());
  return watch;
}
const next = async (watching: Watch<Change>) => {
  const { data } = await watching.next();
  return data?.scheduleChanged ?? expect.unreachable("There is a change.");
};
/** "main 08:01", or the id of one that is gone. */
const nextOf = async (watching: Watch<Change>) => {
  const { schedule, deletedId } = await next(watching);
  return schedule ? `${schedule.channel} ${schedule.endsAt.slice(11, 16)}` : deletedId;
};

let hour = 10;
async function create(channel: string): Promise<string> {
  const input = { playlistId, channel, startsAt: `2100-01-01T${hour++}:00:00Z` };
  const create = "mutation ($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } } }";
  type Created = { createSchedule: { schedule: { id: string } } };
  return (await ed.client.request<Created>(create, { input })).createSchedule.schedule.id;
}
async function move(id: string, expectedVersion: number, channel: string): Promise<void> {
  const move = "mutation ($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { id } } }";
  await ed.client.request(move, { input: { id, expectedVersion, channel } });
}

it("a watcher of one channel sees what comes, changes, leaves and is deleted there, and nothing else", async () => {
  const main = await watch({ channel: "main" });
  const all = await watch({});
  const one = await create("main");
  expect(await nextOf(main)).toBe("main 10:01");
  const two = await create("foyer");
  await move(two, 1, "main");
  expect(await nextOf(main)).toBe("main 11:01");
  await move(one, 1, "foyer");
  expect(await nextOf(main)).toBe(one);
  const audio = globalIdOf("Audio", await addAudio(lectern.database, 120_000));
  const add = "mutation ($input: AddTracksInput!) { addTracks(input: $input) { movedSchedules { id } } }";
  await ed.client.request(add, { input: { playlistId, audioIds: [audio] } });
  expect(await nextOf(main)).toBe("main 11:03");
  await ed.client.request(`mutation { deleteSchedule(input: { id: "${one}" }) { deletedId } }`);
  await ed.client.request(`mutation { deleteSchedule(input: { id: "${two}" }) { deletedId } }`);
  expect(await nextOf(main)).toBe(two);

  // The watcher of all channels has seen the others, too.
  const seen: (string | null)[] = [];
  while (seen.at(-1) !== two) seen.push(await nextOf(all));
  expect(seen.filter((change) => change === one || change === two)).toEqual([one, two]);
});

it("a watcher resumes after a cursor, on its channel", async () => {
  const watching = await watch({ channel: "left" });
  const id = await create("left");
  const { cursor } = await next(watching);
  watching.close();
  await create("another");
  await move(id, 1, "elsewhere");
  const resumed = await watch({ channel: "left", after: cursor });
  expect(await next(resumed)).toMatchObject({ deletedId: id, schedule: null });
  // Of this schedule, on any channel.
  const followed = await watch({ id, after: cursor });
  expect(await nextOf(followed)).toMatch(/^elsewhere/);
});
