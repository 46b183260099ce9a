/**
 * A slice: one noun of the library from its tables to its part of the API, as one value. slices.ts lists them, and the
 * application, workers, housekeeping, `doctor`, `seed` and the settings go through that list: nothing else names a slice.
 * docs/adding-a-slice.md shows how one is made.
 */
import type { Logger } from "pino";
import type { Download } from "./downloads/download.ts";
import type { Reader } from "./eager-loading/reader.ts";
import type { Services } from "./graphql/context.ts";
import type { WorkQueue } from "./processing/work-queue.ts";
import type { Config, Settings } from "./settings.ts";
import type { FileStore } from "./storage/file-store.ts";
import type { FileColumn } from "./storage/named-files.ts";
import type { Repositories, RunUnitOfWork, UnitOfWork } from "./unit-of-work/unit-of-work.ts";
import type { ResumableUploads } from "./uploads/resumable-uploads.ts";
import type { RequireRoom } from "./uploads/upload-plugin.ts";
import type { UploadRule } from "./uploads/upload-rules.ts";
import type { Viewer, Viewers } from "./viewer.ts";

export type Slice = {
  /** Its settings, by the names of their environment variables: each with a default and a description. */
  settings?: Settings;
  /** Imports the modules that add its types and fields to the schema. */
  types?(): Promise<unknown>;
  /** Its repositories, bound to one unit of work. */
  repositories?(uow: UnitOfWork): Partial<Repositories>;
  /** Creates the parts that live as long as the server. Called once per server. */
  open?(parts: SliceParts): OpenSlice;
  /** Columns that name files in the store. Files that no such column names are swept. */
  files?: readonly FileColumn[];
  /** Kinds of files that clients download, under addresses that `fileAddress` of the context makes. */
  downloads?: readonly Download[];
  /** Its mutation fields that take files, by their names. Files for other fields are refused before they are read. */
  uploads?(config: Config): Readonly<Record<string, UploadRule>>;
  /** Its table as a queue, with the work on one row. */
  queue?: WorkQueue<{ config: Config; files: FileStore }>;
  /** Looks for rows that must not exist, by the complaint that `doctor` prints. */
  checks?: Readonly<Record<string, Check>>;
  /** Deletions of old rows and the like, run by every server at intervals. */
  sweeps?: readonly Sweep[];
  /** Adds its part of the sample library. */
  seed?(sample: Sample): Promise<void>;
  /** Adds what is made of processed rows, such as a playlist of audio, in a later unit of work. */
  seedProcessed?(sample: Sample): Promise<void>;
  /** True if the first part is of little use until workers have processed it: a first start waits for them. */
  needsProcessing?: boolean;
  /** Examples for GraphiQL. */
  tabs?: readonly ExampleTab[];
};

export type SliceParts = {
  config: Config;
  /** Address at which clients reach the server. */
  publicUrl: string;
  /** True if that is over TLS. */
  isSecure: boolean;
  run: RunUnitOfWork<Repositories>;
  /** Connections that read only, outside units of work. */
  reads: Reader;
  files: FileStore;
  /** Files that were sent in pieces, before the operation that uses them. */
  uploads: Pick<ResumableUploads, "stage" | "remove">;
  logger: Logger;
};

/** A slice in a running server. */
export type OpenSlice = {
  /** Its services for one unit of work, on behalf of a viewer. */
  services?(uow: UnitOfWork & Repositories, viewer: Viewer): Partial<Services>;
  /** Refuses files before they are read, such as by a quota. */
  requireRoom?: RequireRoom;
  /** Provided by the slice of accounts only. */
  viewers?: Viewers;
  /** Runs once, before the server accepts requests. */
  start?(): Promise<void>;
  /** Starts threads and the like before the first request needs them. */
  warmUp?(): Promise<void>;
  close?(): Promise<void>;
};

export type Check = {
  /** A query with one row per violation, and a column `id` that tells people which it is. */
  violations: string;
} & (
  | {
      /** Statements that mend the violations. `doctor --repair` runs them in one transaction, while servers run. */
      repair: readonly string[];
      advice?: never;
    }
  | {
      repair?: never;
      /** Tells people how to mend them, since no statement can know. */
      advice: string;
    }
);

export type Sweep = {
  /** For the log. */
  name: string;
  everyMs: number;
  /** Returns how many rows it deleted or made. */
  sweep(run: RunUnitOfWork<object>): Promise<number>;
};

export type Sample = {
  files: FileStore;
  /** Reads in the unit of work. */
  reader: Reader;
  /** The services on behalf of a demo user, within one unit of work. */
  servicesOf(person: "admin" | "editor" | "viewer"): Services;
};

export type ExampleTab = {
  query: string;
  /** JSON. */
  headers?: string;
};

export const fileColumnsOf = (slices: readonly Slice[]): FileColumn[] => slices.flatMap(({ files = [] }) => files);

/** Merges the parts of all slices. The cast is safe if each slice provides what it declares (`Services`, `Repositories`). */
export function merged<Whole extends object>(parts: readonly (Partial<Whole> | undefined)[]): Whole {
  return Object.assign({}, ...parts) as Whole;
}
