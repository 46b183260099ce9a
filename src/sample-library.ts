/** The sample library of a first start in development: three demo users, and the samples of every slice. */
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import type { Application } from "./application.ts";
import type { Role } from "./database/generated/prisma/enums.ts";
import type { Reader } from "./eager-loading/reader.ts";
import { identifier, join, raw, sql } from "./eager-loading/sql.ts";
import { ApplicationError } from "./errors.ts";
import type { Sample } from "./slice.ts";
import type { Repositories, UnitOfWork } from "./unit-of-work/unit-of-work.ts";

export const demoPassword = "lectern-demo";

export const demoUsers = {
  admin: { email: "admin@lectern.example", name: "Ada Admin", role: "ADMIN" },
  editor: { email: "editor@lectern.example", name: "Edith Editor", role: "EDITOR" },
  viewer: { email: "viewer@lectern.example", name: "Victor Viewer", role: "VIEWER" },
} as const satisfies Record<string, { email: string; name: string; role: Role }>;

type Person = keyof typeof demoUsers;

type Loading = Pick<Application, "slices" | "run" | "services" | "files"> & { reads: Reader };

/** Loads the samples in one unit of work if the database has no users. Returns whether it did. */
export async function loadSampleLibrary(application: Loading): Promise<boolean> {
  const { slices, run, services, reads } = application;
  const [found] = await reads.read(sql`select exists (select 1 from users) as any`);
  if (found?.any) return false;
  try {
    await run({ name: "load the sample library" }, async (uow) => {
      const { users } = services(uow, null);
      const create = ({ email, name, role }: (typeof demoUsers)[Person]) =>
        users.createUser({ email, name, password: demoPassword }, role);
      const [admin, editor, viewer] = await Promise.all([
        create(demoUsers.admin),
        create(demoUsers.editor),
        create(demoUsers.viewer),
      ]);
      const ids = { admin: admin.id, editor: editor.id, viewer: viewer.id };
      const sample = sampleOf(application, uow, ids);
      for (const slice of slices) await slice.seed?.(sample);
    });
    return true;
  } catch (error) {
    // A concurrent process has loaded it.
    if (error instanceof ApplicationError && error.code === "DUPLICATE") return false;
    throw error;
  }
}

export type ProcessedSamplesOptions = {
  /** Default: ten minutes. */
  timeoutMs?: number;
  /** Ends the wait. */
  signal?: AbortSignal;
};

/**
 * Loads the samples that need processed rows, once workers have processed those of the sample library. Returns whether it
 * did: false after the timeout.
 */
export async function loadProcessedSamples(
  application: Loading,
  { timeoutMs = 600_000, signal }: ProcessedSamplesOptions = {},
): Promise<boolean> {
  const { slices, run, reads } = application;
  if (!(await untilProcessed({ slices, reads }, { timeoutMs, signal, isAll: true }))) return false;
  const emails = Object.values(demoUsers).map(({ email }) => email);
  const rows = await reads.read(sql`select id, email from users where email = any(${emails}::text[])`);
  const idOf = (person: Person) => rows.find(({ email }) => email === demoUsers[person].email)?.id as string;
  const ids = { admin: idOf("admin"), editor: idOf("editor"), viewer: idOf("viewer") };
  await run({ name: "load samples of processed rows" }, async (uow) => {
    const sample = sampleOf(application, uow, ids);
    for (const slice of slices) await slice.seedProcessed?.(sample);
  });
  return true;
}

/** Does it while the server runs, and logs a failure, since the rest of the library is there. Returns how to stop it. */
export function loadProcessedSamplesMeanwhile(application: Loading, logger: Logger): () => Promise<void> {
  const stop = new AbortController();
  const loading = loadProcessedSamples(application, { signal: stop.signal }).then(
    (isLoaded) => {
      if (!isLoaded && !stop.signal.aborted)
        logger.warn("no worker has processed the sample library: a part is missing");
    },
    (error: unknown) => logger.warn({ err: error }, "a part of the sample library could not be loaded"),
  );
  return async () => {
    stop.abort();
    await loading;
  };
}

function sampleOf(
  { services, files }: Loading,
  uow: UnitOfWork & Repositories,
  ids: Readonly<Record<Person, string>>,
): Sample {
  const servicesOf = (person: Person) =>
    services(uow, { id: ids[person], role: demoUsers[person].role, sessionId: "" });
  return { files, reader: uow.reader, servicesOf };
}

/**
 * Waits for the workers, so that a first start shows a library that can be searched at once. Returns whether they have
 * processed it: false after the timeout.
 *
 * @param options.isAll true to wait for the queues of all slices, not only of those that need it
 */
export async function untilProcessed(
  { slices, reads }: Pick<Application, "slices"> & { reads: Reader },
  { timeoutMs = 10_000, signal, isAll = false }: ProcessedSamplesOptions & { isAll?: boolean } = {},
): Promise<boolean> {
  const open = slices.flatMap(({ queue, needsProcessing }) =>
    queue && (needsProcessing || isAll)
      ? [sql`select 1 from ${raw(identifier(queue.table))} where status in ('PENDING', 'PROCESSING')`]
      : [],
  );
  if (open.length === 0) return true;
  const statement = sql`${join(open, " union all ")} limit 1`;
  for (const until = Date.now() + timeoutMs; Date.now() < until && !signal?.aborted; ) {
    if ((await reads.read(statement)).length === 0) return true;
    await pause(isAll ? 200 : 50);
  }
  return false;
}
