/** The schedules of the sample library: something plays at once, whatever the time of day. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { scheduleSlice } from "../../src/schedules/schedule.slice.ts";
import type { Sample } from "../../src/slice.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addPlaylist } from "../support/playlist-rows.ts";

let lectern: Lectern;
let ed: Person;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  ed = await lectern.person("Ed", "EDITOR");
});
afterAll(() => lectern.stop());

async function seed(): Promise<void> {
  const { application } = lectern;
  await application.run({ name: "seed" }, async (uow) => {
    const servicesOf: Sample["servicesOf"] = () =>
      application.services(uow, { id: uuidOf(ed.id), role: "EDITOR", sessionId: "" });
    await scheduleSlice.seedProcessed?.({ files: application.files, reader: uow.reader, servicesOf });
  });
}
const schedules = () =>
  lectern.database.query(`
    select p.name, s.starts_at as at from schedules s join playlists p on p.id = s.playlist_id
    where s.series_id is not null order by s.starts_at`);
const clock = (at: unknown, timeZone: string) =>
  new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "short", hour: "2-digit", minute: "2-digit" }).format(
    at as Date,
  );

it("without the sample playlists there are none", async () => {
  await seed();
  expect(await lectern.database.query("select 1 from schedules")).toEqual([]);
});

it("one plays now, and two series begin on the next days", async () => {
  await addPlaylist(lectern.database, [3_700_000], "Daytime");
  await addPlaylist(lectern.database, [60_000], "Lobby");
  await seed();
  const playing = '{ nowPlaying(channel: "main") { schedule { playlist { name } series { id } } } }';
  expect(await ed.client.request(playing)).toEqual({
    nowPlaying: { schedule: { playlist: { name: "Daytime" }, series: null } },
  });
  const placed = await schedules();
  const clocks = (name: string, zone: string) => [
    ...new Set(placed.filter((one) => one.name === name).map(({ at }) => clock(at, zone))),
  ];
  expect(clocks("Lobby", "Europe/Berlin").sort()).toEqual([
    "Fri 08:00",
    "Mon 08:00",
    "Thu 08:00",
    "Tue 08:00",
    "Wed 08:00",
  ]);
  expect(clocks("Daytime", "Asia/Ho_Chi_Minh")).toEqual(["Sat 19:00"]);
  const days = (Number(placed[0]?.at) - Date.now()) / 86_400_000;
  expect(days).toBeLessThan(4);
});
