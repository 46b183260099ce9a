/** `storage copy` on a real database, from a folder to S3 and back. */
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LocalFileStore } from "../../src/storage/local-file-store.ts";
import { makeFolder, run } from "../support/command.ts";
import type { TestDatabase } from "../support/database.ts";
import { filesOf } from "../support/files.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addDocument, addUser } from "../support/rows.ts";
import { type S3Server, startS3Server } from "../support/s3-server.ts";
import { secret } from "../support/secret.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let database: TestDatabase;
let s3: S3Server;
let keys: string[];

beforeAll(async () => {
  [folder, database, s3] = await Promise.all([makeFolder(), freshDatabase(), startS3Server()]);
  await addUser(database);
  const store = new LocalFileStore({ folder: join(folder.path, "files") });
  keys = [];
  for (const text of ["The first text.", "The second text.", "The third text."]) {
    const source = async function* () {
      yield Buffer.from(text);
    };
    const storageKey = await store.keep(await store.stage(source(), { name: "a.html", maxBytes: 100 }));
    const id = await addDocument(database, { storageKey, sizeBytes: text.length });
    const sha256 = createHash("sha256").update(text).digest("hex");
    await database.query("update documents set sha256 = $2 where id = $1", [id, sha256]);
    keys.push(storageKey);
  }
  keys.sort();
});
afterAll(async () => {
  await s3.stop();
  await database.drop();
  await folder.remove();
});

const environment = () => ({
  DATA_DIR: folder.path,
  AUTH_SECRET: secret,
  DATABASE_URL: database.url,
  AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
});
const storage = (...parameters: string[]) =>
  run(["storage", ...parameters], { folder: folder.path, environment: environment() });

describe("storage copy", () => {
  it("copies the files to S3, tells what it did, and has nothing to do the second time", async () => {
    expect(await storage("copy", "--to", s3.url)).toMatchObject({
      code: 0,
      stdout: "3 files copied (46 bytes), 0 were there already\n",
      stderr: "",
    });
    expect((await s3.contents()).objects).toEqual(keys.map((key) => `files/${key}`));
    expect(await storage("copy", "--to", s3.url, "--trust-size")).toMatchObject({
      code: 0,
      stdout: "0 files copied (0 bytes), 3 were there already\n",
    });
  });

  it("copies them back, to a path or a file address, whatever is missing there", async () => {
    const back = join(folder.path, "back");
    expect(await storage("copy", "--from", s3.url, "--to", pathToFileURL(back).href)).toMatchObject({ code: 0 });
    const paths = (await filesOf({ config: { filesDir: back } } as never)).map((path) => path.split("/").at(-1));
    expect(paths.sort()).toEqual(keys);
    const [key] = keys as [string];
    const path = join(back, "kept", key.slice(-2), key);
    const contents = await readFile(path, "utf8");
    await rm(path);
    expect(await storage("copy", "--from", s3.url, "--to", back)).toMatchObject({
      stdout: `1 files copied (${contents.length} bytes), 2 were there already\n`,
    });
    expect(await readFile(path, "utf8")).toBe(contents);
  });

  it("names the files that it could not copy, and fails", async () => {
    const [key] = keys as [string];
    await writeFile(join(folder.path, "files/kept", key.slice(-2), key), "Not what was sent.");
    expect(await storage("copy", "--to", join(folder.path, "elsewhere"))).toMatchObject({
      code: 1,
      stdout: `BAD  ${key} damaged\n2 files copied (${46 - (await sizeOf(key))} bytes), 0 were there already\n`,
      stderr: "1 files were not copied.\n",
    });
  });

  it.each([
    [["copy"], "Say --from or --to; the other is the configured store."],
    [["move"], "The only command for files is `storage copy`."],
    [["copy", "now", "--to", "x"], "The only command for files is `storage copy`."],
    [["copy", "--from", "x", "--to", "x"], "--from and --to are the same store."],
    [["copy", "--from", "nowhere"], "--from: must be a folder that exists"],
    [
      ["copy", "--to", "s3://id:secret@library"],
      "--to: must hold no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ],
  ])("%j is a mistake", async (parameters, message) => {
    expect(await storage(...parameters)).toMatchObject({ code: 1, stdout: "", stderr: `${message}\n` });
  });

  it("tells of a store that takes no files, without the login", async () => {
    const { code, stderr } = await storage("copy", "--to", s3.url.replace("library", "nowhere"));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^s3:\/\/nowhere\/files\/[0-9a-f-]{36} accepts no files: .*\n$/),
    ]);
  });
});

describe("a store that is not there", () => {
  it("ends the start in one line that names it", async () => {
    const STORAGE_URL = s3.url.replace("library", "nowhere");
    const { code, stdout, stderr } = await run(["start"], {
      folder: folder.path,
      environment: { ...environment(), STORAGE_URL },
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^Files cannot be stored in STORAGE_URL, s3:\/\/nowhere\/files\/[0-9a-f-]{36}: NoSuchBucket: .*Check the bucket and the login\.\n$/,
    );
  });
});

const sizeOf = async (key: string) =>
  Number((await database.query("select size_bytes as size from documents where storage_key = $1", [key]))[0]?.size);
