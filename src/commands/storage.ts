/** `storage copy` copies all files that rows name to another store. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { rowTypes } from "../database/row-types.ts";
import { withClient } from "../database/with-client.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { UserError } from "../errors.ts";
import { openFileStore, openS3FileStore } from "../resources.ts";
import type { Config } from "../settings.ts";
import { fileColumnsOf } from "../slice.ts";
import { slices } from "../slices.ts";
import { type CopyCounts, copyFiles } from "../storage/copy-files.ts";
import { type FileStore, FileStoreError } from "../storage/file-store.ts";
import { LocalFileStore } from "../storage/local-file-store.ts";
import { type NamedFile, namedFiles } from "../storage/named-files.ts";
import { isS3Url } from "../storage/s3-address.ts";
import { withDatabase } from "./database-session.ts";

export type CopyArguments = { from?: string; to?: string; "trust-size"?: boolean };

const linesEvery = 100;

export async function storageCommand([action, ...rest]: string[], options: CopyArguments): Promise<void> {
  if (action !== "copy" || rest.length > 0) throw new UserError("The only command for files is `storage copy`.");
  const { from, to } = options;
  if (from === undefined && to === undefined)
    throw new UserError("Say --from or --to; the other is the configured store.");
  if (from === to) throw new UserError("--from and --to are the same store.");
  loadEnvironmentFile();
  const config = readConfig();
  const source = await openStore(config, "--from", from);
  const target = await openStore(config, "--to", to);
  await requireUsable(target);
  const counts = await withDatabase(config, (database) =>
    withClient(database.ownerUrl, (client) => {
      const reader: Reader = {
        read: async ({ text, values }) => (await client.query({ text, values, types: rowTypes })).rows,
      };
      return copyFiles(allNamedFiles(reader), {
        from: source,
        to: target,
        trustsSize: options["trust-size"] ?? false,
        onTrouble: (key, trouble) => console.log(`BAD  ${key} ${trouble}`),
        onProgress: (counts) => printAtTimes(counts),
      });
    }),
  ).catch((error) => {
    if (!(error instanceof FileStoreError)) throw error;
    throw new UserError(`${error.path} cannot be used: ${(error.cause as Error).message}. Start again to go on.`);
  });
  console.log(describe(counts));
  if (counts.troubles > 0) throw new UserError(`${counts.troubles} files were not copied.`);
}

async function* allNamedFiles(reader: Reader): AsyncIterable<NamedFile> {
  for (const column of fileColumnsOf(slices)) yield* namedFiles(column, reader);
}

/** The store at an address of S3, a `file:` address or a path; without one, the configured store. */
async function openStore(config: Config, option: "--from" | "--to", address: string | undefined): Promise<FileStore> {
  if (address === undefined) return openFileStore(config);
  try {
    if (isS3Url(address)) return await openS3FileStore(config, address);
    const folder = address.startsWith("file:") ? fileURLToPath(address) : resolve(address);
    if (option === "--from" && !(await stat(folder).catch(() => null))?.isDirectory()) {
      throw new Error("must be a folder that exists");
    }
    return new LocalFileStore({ folder });
  } catch (error) {
    throw new UserError(`${option}: ${(error as Error).message}`);
  }
}

async function requireUsable(target: FileStore): Promise<void> {
  try {
    await target.requireUsable();
  } catch (error) {
    if (!(error instanceof FileStoreError)) throw error;
    throw new UserError(`${error.path} accepts no files: ${(error.cause as Error).message}.`);
  }
}

function printAtTimes(counts: CopyCounts): void {
  const { copied, present, troubles } = counts;
  if ((copied + present + troubles) % linesEvery === 0) console.log(describe(counts));
}

const describe = ({ copied, copiedBytes, present }: CopyCounts) =>
  `${copied} files copied (${copiedBytes} bytes), ${present} were there already`;
