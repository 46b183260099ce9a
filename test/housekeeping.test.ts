import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type HousekeepingParts, startHousekeeping } from "../src/housekeeping.ts";
import type { Config } from "../src/settings.ts";
import type { FileStore } from "../src/storage/file-store.ts";
import { type Lectern, startLectern } from "./support/lectern.ts";
import { collectedLog } from "./support/logs.ts";
import { addDocuments, addUser } from "./support/rows.ts";

let lectern: Lectern;
beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false, settings: { FILE_GRACE_MS: "0" } });
  await addUser(lectern.database);
});
afterAll(() => lectern.stop());
afterEach(() => void vi.useRealTimers());

/** Housekeeping whose timers run only when `pass` is called. */
function start(parts: Partial<HousekeepingParts> = {}, settings: Partial<Config> = {}) {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { config, application } = lectern;
  const { logger, lines } = collectedLog("info");
  const housekeeping = startHousekeeping({ ...config, ...settings }, { ...application, logger, ...parts });
  return { housekeeping, lines, pass: (seconds: number) => vi.advanceTimersByTime(seconds * 1_000) };
}

const old = "now() - interval '40 days'";

async function addLeftovers(): Promise<void> {
  const { query } = lectern.database;
  const [id] = await addDocuments(lectern.database, [{}, {}]);
  await query(`
    insert into idempotency_keys (user_id, key, request_hash, created_at)
      select id, k, 'hash', case k when 'old' then ${old} else now() end from users, unnest(array['old', 'new']) k;
    insert into sessions (user_id, refresh_hash, expires_at)
      select id, 'old', ${old} from users;
    update outbox set occurred_at = ${old};
    begin;
    set local session_replication_role = replica;
    update documents set status = 'PROCESSING', attempts = 1, claimed_by = 'gone', claim_token = gen_random_uuid(),
      lease_until = now() - interval '1 second' where id = '${id}';
    commit`);
  const folder = join(lectern.config.filesDir, "kept/ff");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "00000000-0000-4000-8000-0000000000ff"), "No row names it.");
}

const leftovers = async (): Promise<Record<string, number>> => {
  const [rows] = await lectern.database.query(`
    select (select count(*)::int from idempotency_keys) as keys,
      (select count(*)::int from sessions) as sessions,
      (select count(*)::int from outbox where occurred_at <= ${old}) as events,
      (select count(*)::int from documents where status = 'PROCESSING') as expired`);
  return { ...rows, files: (await readdir(join(lectern.config.filesDir, "kept/ff"))).length };
};

/** Events are pruned once they are handled. */
const unhandled = () =>
  lectern.database.query(`
    select count(*)::int as events from outbox
    where position > (select position from outbox_consumers where name = 'files')`);

describe("housekeeping", () => {
  it("removes each kind of leftovers in its time, and tells how many", async () => {
    await addLeftovers();
    const { housekeeping, lines, pass } = start();
    const all = await leftovers();
    expect(all).toEqual({ keys: 2, sessions: 1, events: 2, expired: 1, files: 1 });
    pass(1);
    await expect.poll(leftovers).toEqual({ ...all, files: 0 });
    pass(4);
    await expect.poll(leftovers).toEqual({ ...all, files: 0, expired: 0 });
    housekeeping.wake();
    await expect.poll(unhandled).toEqual([{ events: 0 }]);
    pass(595);
    // The last pruned position stays, so that older cursors are known to be out of date.
    await expect.poll(leftovers).toEqual({ keys: 1, sessions: 0, events: 1, expired: 0, files: 0 });
    await housekeeping.stop();
    const told = lines.map(({ msg, count }) => [msg, count]);
    expect(told).toEqual(
      expect.arrayContaining([
        ["releasing expired documents", 1],
        ["sweeping files", 1],
        ["sweeping keys", 1],
        ["sweeping sessions", 1],
        ["pruning the outbox", 1],
      ]),
    );
    expect(told).toHaveLength(5);
  });

  it("lists the files of a bucket once an hour only", async () => {
    let lists = 0;
    const files = {
      list() {
        lists++;
        return Readable.from([]);
      },
    } as Partial<FileStore> as FileStore;
    const { housekeeping, pass } = start({ files }, { STORAGE_URL: "s3://library" });
    pass(3_599);
    expect(lists).toBe(0);
    pass(1);
    expect(lists).toBe(1);
    await housekeeping.stop();
  });

  it("begins no job while it runs, and stops when the jobs under way are done", async () => {
    const { run } = lectern.application;
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    const { housekeeping, pass } = start({
      run: async (options, work) => {
        begun.push(options.name);
        await gate.promise;
        return run(options, work);
      },
    });
    pass(600);
    pass(600);
    const names = [
      "extend series of schedules",
      "prune the outbox",
      "release expired audio",
      "release expired documents",
      "sweep idempotency keys",
      "sweep sessions",
    ];
    expect([...begun].sort()).toEqual(names);
    let isStopped = false;
    const stopping = housekeeping.stop().then(() => {
      isStopped = true;
    });
    await pause(50);
    expect(isStopped).toBe(false);
    gate.resolve();
    await stopping;
    pass(600);
    expect(begun).toHaveLength(names.length);
  });

  it("tells of a job that failed, and tries it again", async () => {
    const { run } = lectern.application;
    let failures = 0;
    const { housekeeping, lines, pass } = start({
      run: async (options, work) => {
        if (options.name === "sweep sessions" && failures++ === 0) throw new Error("The database is away.");
        return run(options, work);
      },
    });
    const told = () => lines.filter(({ msg }) => String(msg).startsWith("sweeping sessions"));
    pass(600);
    await expect
      .poll(told)
      .toMatchObject([{ msg: "sweeping sessions failed", err: { message: "The database is away." } }]);
    await pause(10);
    pass(600);
    await expect.poll(() => failures).toBe(2);
    await housekeeping.stop();
    expect(told()).toHaveLength(1);
  });
});
