/** kill -9 of a worker at every point of the file that it makes: another worker completes the audio, and nothing is left. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FilePoint } from "../../src/storage/file-store.ts";
import { begin, environmentBeside } from "../support/command.ts";
import { filesOf } from "../support/files.ts";
import { countsIn, integrityOf } from "../support/integrity.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { makeM4a } from "../support/sounds.ts";
import { until } from "../support/until.ts";
import { sendSource } from "../support/upload.ts";

let lectern: Lectern;
let edith: Person;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  edith = await lectern.person("Edith", "EDITOR");
});
afterAll(() => lectern.stop());

const query = "mutation ($input: UploadAudioInput!) { uploadAudio(input: $input) { audio { id } } }";
const statuses = async () =>
  (await lectern.database.query("select status, attempts, mime_type, filename from audio")).map((row) => row);

it.each<{ point: FilePoint; left: number }>([
  { point: "after_part_write", left: 2 },
  { point: "after_fsync", left: 2 },
  { point: "after_rename", left: 2 },
])("$point", { timeout: 90_000 }, async ({ point, left }) => {
  const sound = makeM4a({ seconds: 1, title: point });
  const file = new File([new Uint8Array(sound)], `${point}.m4a`);
  expect((await sendSource(lectern, edith, { query, file })).errors).toBeUndefined();
  const environment = { ...environmentBeside(lectern), WORKERS: "1", CRASH_AT: point };
  const worker = begin(["worker"], { environment });
  expect((await worker.ended).signal).toBe("SIGKILL");
  expect(await statuses()).toMatchObject([{ status: "PROCESSING", attempts: 1, mime_type: "audio/mp4" }]);
  // The one that was sent, and the beginning of the new one.
  expect(await filesOf(lectern)).toHaveLength(left);

  // Its lease is over, as it would be half a minute later.
  await lectern.database.query("update audio set lease_until = now() - interval '1 second'");
  const next = await startLectern({ database: lectern.database, worker: true });
  try {
    await until(async () => (await statuses())[0]?.status === "COMPLETED", "another worker completes it", 60_000);
    expect(await statuses()).toMatchObject([{ attempts: 2, mime_type: "audio/mpeg", filename: `${point}.mp3` }]);
  } finally {
    await next.stop();
  }

  // Without a worker, whose files it would take for left ones.
  const sweeping = await startLectern({ database: lectern.database, settings: { FILE_GRACE_MS: "0" } });
  try {
    const { examine } = integrityOf(lectern, { graceMs: -1 });
    await until(async () => Object.keys(countsIn(await examine())).length === 0, "doctor finds nothing");
    await until(async () => (await filesOf(lectern)).length === 1, "one file is left");
    await lectern.database.query("delete from audio");
    await until(async () => (await filesOf(lectern)).length === 0, "and none without its row");
  } finally {
    await sweeping.stop();
  }
});
