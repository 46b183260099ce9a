/**
 * kill -9 of the server at every point of a file's life, for every way in which files come in. The next server removes
 * what is left once the grace is over, `doctor` finds nothing, and the same file can be sent again.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FilePoint } from "../../src/storage/file-store.ts";
import { begin, environmentBeside } from "../support/command.ts";
import { filesOf } from "../support/files.ts";
import { countsIn, integrityOf } from "../support/integrity.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { makeMp3 } from "../support/sounds.ts";
import { until } from "../support/until.ts";
import { postFile } from "../support/upload.ts";

let lectern: Lectern;
let ada: Person;
let environment: Record<string, string>;

beforeAll(async () => {
  // Files are left to the servers that are killed, and to those that follow.
  lectern = await startLectern({ worker: true, housekeeping: false });
  ada = await lectern.person("Ada", "EDITOR");
  environment = environmentBeside(lectern);
});
afterAll(() => lectern.stop());

/** A way in which files come in and go. */
type Way = {
  name: string;
  /** A file of which one copy is kept, no two alike. */
  makeFile(): File;
  /** Sends the file. */
  send(url: string, file: File): Promise<{ id: string; isDuplicate: boolean }>;
  /** Removes the row that names it. */
  remove(url: string, id: string): Promise<unknown>;
  /** The table with the rows. */
  table: string;
};

/** @throws Error if there is no answer, or one with errors */
async function dataOf<Data>(response: Promise<Response>): Promise<Data> {
  const { data, errors } = (await (await response).json()) as { data: Data; errors?: object[] };
  if (errors) throw new Error(`The operation has failed: ${JSON.stringify(errors)}`);
  return data;
}

const remove = (url: string, field: string, id: string) =>
  dataOf(
    post(url, { query: `mutation { ${field}(input: { id: "${id}" }) { deletedId } }`, accessToken: ada.accessToken }),
  );

const ways: Way[] = [
  {
    name: "a document from HTML",
    makeFile: () => new File([`<!doctype html><title>A page</title><p>${randomUUID()}`], "page.html"),
    async send(url, file) {
      const query = `mutation ($file: File!) {
        createDocument(input: { source: { file: $file } }) { isDuplicate document { id } }
      }`;
      const { createDocument } = await dataOf<{
        createDocument: { isDuplicate: boolean; document: { id: string } };
      }>(postFile(url, { query, file, accessToken: ada.accessToken }));
      return { id: createDocument.document.id, isDuplicate: createDocument.isDuplicate };
    },
    remove: (url, id) => remove(url, "deleteDocument", id),
    table: "documents",
  },
  {
    name: "an audio",
    makeFile: () => new File([new Uint8Array(makeMp3({ seconds: 1, title: randomUUID() }))], "song.mp3"),
    async send(url, file) {
      const query = `mutation ($file: File!) {
        uploadAudio(input: { source: { file: $file } }) { isDuplicate audio { id } }
      }`;
      const { uploadAudio } = await dataOf<{ uploadAudio: { isDuplicate: boolean; audio: { id: string } } }>(
        postFile(url, { query, file, accessToken: ada.accessToken }),
      );
      return { id: uploadAudio.audio.id, isDuplicate: uploadAudio.isDuplicate };
    },
    remove: (url, id) => remove(url, "deleteAudio", id),
    table: "audio",
  },
];

/** Starts a server that kills itself at the point, lets it work, and waits for its end. */
async function crash(point: FilePoint, work: (url: string) => Promise<unknown>): Promise<void> {
  const server = begin(["start"], { environment: { ...environment, CRASH_AT: point } });
  const [, url] = await server.printed(/Lectern is ready: (http\S+)/);
  // The file may go after the answer, or beside it.
  await Promise.allSettled([work(url as string)]);
  expect((await server.ended).signal, `the server killed itself ${point}`).toBe("SIGKILL");
}

const rows = async (table: string) =>
  (await lectern.database.query(`select count(*)::int as count from ${table}`))[0]?.count as number;

/** Events that the consumer that removes files has not followed yet. */
const notFollowed = () =>
  lectern.database.query(
    "select 1 from outbox o, outbox_consumers c where c.name = 'files' and o.position > c.position",
  );

/** Starts the next server, whose grace is over, and waits until `doctor` finds nothing and nothing is to be removed. */
async function expectSoundAgain(): Promise<void> {
  const next = await startLectern({ database: lectern.database, settings: { FILE_GRACE_MS: "0" } });
  try {
    const { examine } = integrityOf(lectern, { graceMs: -1 });
    await until(async () => Object.keys(countsIn(await examine())).length === 0, "doctor finds nothing");
    await until(async () => (await notFollowed()).length === 0, "the removal of files has followed all events");
  } finally {
    await next.stop();
  }
}

describe.each(ways)("kill -9 of the server that receives $name", { timeout: 60_000 }, (way) => {
  it.each<{ point: FilePoint; left: RegExp }>([
    { point: "after_part_write", left: /^staged\// },
    { point: "after_fsync", left: /^staged\// },
    { point: "after_rename", left: /^kept\// },
  ])("$point leaves a file and no row, and the file can be sent again", async ({ point, left }) => {
    const [file, count, before] = [way.makeFile(), await rows(way.table), await filesOf(lectern)];
    await crash(point, (url) => way.send(url, file));
    expect(await rows(way.table)).toBe(count);
    const present = (await filesOf(lectern)).filter((path) => !before.includes(path));
    expect(present).toEqual([expect.stringMatching(left)]);

    await expectSoundAgain();
    expect(await filesOf(lectern)).toEqual(before);
    await expectSentOnce(way, file);
  });

  it.each<FilePoint>(["before_unlink", "after_unlink"])(
    "%s leaves no row, the file goes, and can be sent again",
    async (point) => {
      const [file, count, before] = [way.makeFile(), await rows(way.table), await filesOf(lectern)];
      const { id } = await way.send(lectern.url, file);
      await lectern.settled();
      expect(await filesOf(lectern)).toHaveLength(before.length + 1);
      await crash(point, (url) => way.remove(url, id));
      expect(await rows(way.table)).toBe(count);
      expect(await filesOf(lectern)).toHaveLength(before.length + (point === "before_unlink" ? 1 : 0));
      expect(await notFollowed()).not.toEqual([]);

      await expectSoundAgain();
      expect(await filesOf(lectern)).toEqual(before);
      await expectSentOnce(way, file);
    },
  );
});

/** The file is new to the server, and known when it comes a second time; either way one copy is kept. */
async function expectSentOnce(way: Way, file: File): Promise<void> {
  const before = await filesOf(lectern);
  const first = await way.send(lectern.url, file);
  expect(first.isDuplicate).toBe(false);
  expect(await way.send(lectern.url, file)).toEqual({ id: first.id, isDuplicate: true });
  await lectern.settled();
  expect(await filesOf(lectern)).toHaveLength(before.length + 1);
  const { examine } = integrityOf(lectern, { graceMs: -1 });
  expect(countsIn(await examine())).toEqual({});
}
