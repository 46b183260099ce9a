/** Both file stores keep the same contract. */
import fs, { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { LocalFileStore } from "../../src/storage/local-file-store.ts";
import { parseS3Address } from "../../src/storage/s3-address.ts";
import { S3Bucket } from "../../src/storage/s3-bucket.ts";
import { S3FileStore } from "../../src/storage/s3-file-store.ts";
import { filesOf } from "../support/files.ts";
import { startS3Server } from "../support/s3-server.ts";
import { describeFileStore } from "./file-store-contract.ts";

const temporaryFolder = () => mkdtemp(join(tmpdir(), "lectern-store-"));
const filesIn = (folder: string) => filesOf({ config: { filesDir: folder } } as never);

describeFileStore("a store in a local folder", async () => {
  const folder = await temporaryFolder();
  const pathOf = (key: string) => join(folder, "kept", key.slice(-2), key);
  /** Times of the last change that pass for older ones, by the path, since nobody may set them. */
  const older = new Map<string, { ctimeMs: number; ms: number }>();
  const { stat } = fs;
  fs.stat = (async (path: string) => {
    const found = await stat(path);
    const change = older.get(path);
    return change?.ctimeMs === found.ctimeMs ? Object.assign(found, { ctimeMs: found.ctimeMs - change.ms }) : found;
  }) as typeof fs.stat;
  syncBuiltinESMExports();
  return {
    store: new LocalFileStore({ folder }),
    async makeOld(key, ms) {
      const { ctimeMs } = await stat(pathOf(key));
      older.set(pathOf(key), { ctimeMs, ms });
      // The clock of the file system is a few milliseconds coarse: later changes have another time.
      await pause(20);
    },
    async addStranger() {
      const path = join(folder, "kept/ff/notes.txt");
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, "Another program's.");
    },
    left: () => filesIn(folder),
    empty: () => rm(folder, { recursive: true, force: true }),
    async close() {
      fs.stat = stat;
      syncBuiltinESMExports();
    },
  };
});

describeFileStore("a store in S3", async () => {
  const folder = await temporaryFolder();
  const { url, credentials, contents, makeOld, stop } = await startS3Server();
  const address = parseS3Address(url);
  const bucket = new S3Bucket({ address, credentials });
  const store = new S3FileStore({ folder, address, credentials, partBytes: 5_242_880 });
  const names = async () => (await contents()).objects;
  return {
    store,
    makeOld: (key, ms) => makeOld(`files/${key}`, ms),
    async addStranger() {
      for (const Key of ["files/notes.txt", "files/other/00000000-0000-4000-8000-000000000000", "notes.txt"]) {
        await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key, Body: "Another program's." }));
      }
    },
    left: async () => [...(await names()), ...(await contents()).uploads, ...(await filesIn(folder))],
    async empty() {
      for (const Key of await names()) {
        await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key }));
      }
      await rm(folder, { recursive: true, force: true });
    },
    async close() {
      store.close();
      bucket.close();
      await stop();
    },
  };
});
