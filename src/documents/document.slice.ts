/** Documents and their chunks. */
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { tables } from "../database/generated/tables.ts";
import { workQueue } from "../processing/work-queue.ts";
import { whole } from "../settings.ts";
import type { Sample, Slice } from "../slice.ts";
import { documentDownload } from "./document.downloads.ts";
import { type DocumentRepository, documentRepository } from "./document.repository.ts";
import { DocumentService } from "./document.service.ts";
import { documentTabs } from "./document.tabs.ts";
import { ThreadedFileReader } from "./reading/file-reader.ts";
import { documentQueue } from "./worker/document-queue.ts";

declare module "../settings.ts" {
  interface SliceSettings {
    MAX_DOCUMENT_BYTES: number;
  }
}
declare module "../unit-of-work/unit-of-work.ts" {
  interface Repositories {
    documents: DocumentRepository;
  }
}
declare module "../graphql/context.ts" {
  interface Services {
    documents: DocumentService;
  }
}

/** For chunks that are not those of their document. */
const advice = "Call `reprocessDocument` for each document, and find the worker that wrote its chunks.";

export const documentSlice: Slice = {
  settings: {
    MAX_DOCUMENT_BYTES: whole(1, 100_000_000).default(20_000_000).describe("size of a document"),
  },
  types: () =>
    Promise.all([
      import("./document.schema.ts"),
      import("./chunk.schema.ts"),
      import("./chunk-search.schema.ts"),
      import("./document.mutations.ts"),
      import("./document.subscriptions.ts"),
    ]),
  repositories: (uow) => ({ documents: documentRepository(uow) }),
  open({ config, files, uploads, logger }) {
    const { MAX_DOCUMENT_BYTES: maxBytes, WORKER_MEMORY_MB: memoryMb, UPLOAD_WAIT_MS: memoryWaitMs } = config;
    const reader = new ThreadedFileReader({ files, memoryMb, maxBytes, memoryWaitMs, logger });
    return {
      services: (uow, viewer) => ({
        documents: new DocumentService({ uow, viewer, files, uploads, reader, maxBytes }),
      }),
      warmUp: () => reader.warmUp(),
      close: () => reader.close(),
    };
  },
  files: [{ table: tables.Document, key: "storageKey", topic: "document", size: "sizeBytes", sha256: "sha256" }],
  downloads: [documentDownload],
  uploads: (config) => ({ createDocument: { maxBytes: config.MAX_DOCUMENT_BYTES, role: "VIEWER" } }),
  // The readers of all formats are imported by workers only.
  queue: workQueue(documentQueue, async ({ config, files, slots, logger }) => {
    const { openProcessor } = await import("./worker/processor.ts");
    const limits = {
      maxBytes: config.MAX_DOCUMENT_BYTES,
      timeoutMs: config.WORKER_TIMEOUT_MS,
      memoryMb: config.WORKER_MEMORY_MB,
    };
    return openProcessor({ files, slots, limits, logger });
  }),
  checks: {
    "chunks whose offsets do not cut out their text (where characters and UTF-16 code units are the same)": {
      violations: `
        select c.document_id as id from chunks c join documents d on d.id = c.document_id
        where d.text !~ '[\\U00010000-\\U0010FFFF]'
          and substr(d.text, c.start_offset + 1, c.end_offset - c.start_offset) <> c.text`,
      advice,
    },
    "documents whose chunks are not numbered 0, 1, 2 …": {
      violations: "select document_id as id from chunks group by 1 having max(index) + 1 <> count(*)",
      advice,
    },
    "COMPLETED documents without chunks": {
      violations: `
        select d.id from documents d where d.status = 'COMPLETED' and not exists (
          select 1 from chunks c where c.document_id = d.id)`,
      advice,
    },
  },
  seed: addGuides,
  needsProcessing: true,
  tabs: documentTabs,
};

const guides = join(import.meta.dirname, "../../prisma/sample-library");

/** Lectern's own guides, as shared documents. */
async function addGuides({ files, servicesOf }: Sample): Promise<void> {
  const names = (await readdir(guides)).filter((name) => name.endsWith(".md")).sort();
  for (const [index, name] of names.entries()) {
    const { documents } = servicesOf(index % 2 === 0 ? "editor" : "admin");
    const file = await files.stage(createReadStream(join(guides, name)), { name, maxBytes: 1_000_000 });
    await documents.create({ source: { file }, visibility: "SHARED" });
    await files.discard(file);
  }
}
