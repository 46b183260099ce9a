/** Commands on a disk that fails: one clear line, no stack, nothing half made, and all is well when the disk is. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { begin, databaseProcess, freePort, makeFolder, run } from "../support/command.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addDocument, addUser } from "../support/rows.ts";
import { secret } from "../support/secret.ts";
import { mountDisk, type SmallDisk, whyNoDisk } from "../support/small-disk.ts";

const signing = { AUTH_SECRET: secret };
let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

describe("a file store that cannot be used", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());
  const on = (command: string) => {
    const environment = { ...signing, NODE_ENV: "test", DATABASE_URL: database.url, DATA_DIR: folder.path };
    return run([command], { folder: folder.path, environment });
  };

  it("ends the start in one line that names it", async () => {
    await writeFile(join(folder.path, "files"), "A file in the folder's place.");
    expect(await on("start")).toEqual({
      code: 1,
      signal: null,
      stdout: "",
      stderr: `Files cannot be stored in DATA_DIR: ENOTDIR: not a directory, mkdir '${folder.path}/files/staged'. Set it to another folder.\n`,
    });
  });

  it("ends doctor in one line; a file that cannot be read is counted", async () => {
    const key = randomUUID();
    const kept = join(folder.path, "files/kept", key.slice(-2), key);
    await mkdir(kept, { recursive: true });
    await addUser(database);
    await addDocument(database, { storageKey: key, sizeBytes: (await stat(kept)).size });
    const counted = await on("doctor");
    expect(counted.stdout).toContain("BAD  1 documents whose file cannot be read\n");
    expect(counted).toMatchObject({ code: 1, stderr: "The database holds what must never be.\n" });
    await rm(join(folder.path, "files"), { recursive: true });
    await writeFile(join(folder.path, "files"), "A file in the folder's place.");
    expect(await on("doctor")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `The file store cannot be used: ENOTDIR: not a directory, opendir '${folder.path}/files/staged'.\n`,
    });
  });
});

describe.skipIf(whyNoDisk)("the embedded database's disk that is full", () => {
  let disk: SmallDisk;
  let environment: Record<string, string>;
  beforeEach(async () => {
    const dataDir = join(folder.path, "data");
    disk = mountDisk(dataDir, 20_000_000);
    environment = { ...signing, DATA_DIR: dataDir, PORT: String(await freePort()), WORKERS: "0", NODE_ENV: "test" };
  });
  afterEach(() => disk.unmount());
  const made = () => readdir(join(folder.path, "data/postgres"));

  it("makes no half of one, be there no room at all or too little; later it is made", {
    timeout: 120_000,
  }, async () => {
    await disk.fill();
    const none = await run(["migrate"], { environment });
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toMatch(
      /^The database's password cannot be stored in .*: ENOSPC: no space left on device, \w+\.\n$/,
    );
    expect(await made()).toEqual([]);
    await disk.empty();
    const little = await run(["migrate"], { environment });
    expect(little).toMatchObject({ code: 1, stdout: "" });
    expect(little.stderr).toMatch(
      /^The database could not be created in .*?(No space left on device|Check free disk space)/s,
    );
    expect(little.stderr).not.toMatch(/\n\s+at /);
    expect(await made()).toEqual(["password"]);
    disk.resize(200_000_000);
    expect(await run(["migrate"], { environment })).toMatchObject({ code: 0, stderr: "" });
  });

  it("is no obstacle to its end", { timeout: 120_000 }, async () => {
    disk.resize(200_000_000);
    const running = begin(["start"], { environment });
    try {
      await running.printed("Ctrl-C stops it.");
      await disk.fill();
    } finally {
      running.process.kill("SIGINT");
    }
    expect(await running.ended).toMatchObject({ code: 0, stderr: "" });
    expect(await databaseProcess(environment.DATA_DIR as string)).toBeNull();
    expect(await made()).not.toContain("lock");
  });
});
