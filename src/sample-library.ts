/** The sample library of a first start in development: three demo users, and the samples of every slice. */
import { setTimeout as pause } from "node:timers/promises";
import type { Application } from "./application.ts";
import type { Role } from "./database/generated/prisma/enums.ts";
import type { Reader } from "./eager-loading/reader.ts";
import { identifier, join, raw, sql } from "./eager-loading/sql.ts";
import { ApplicationError } from "./errors.ts";

export const demoPassword = "lectern-demo";

export const demoUsers = {
  admin: { email: "admin@lectern.example", name: "Ada Admin", role: "ADMIN" },
  editor: { email: "editor@lectern.example", name: "Edith Editor", role: "EDITOR" },
  viewer: { email: "viewer@lectern.example", name: "Victor Viewer", role: "VIEWER" },
} as const satisfies Record<string, { email: string; name: string; role: Role }>;

type Person = keyof typeof demoUsers;

type Loading = Pick<Application, "slices" | "run" | "services" | "reads" | "files">;

/** Loads the samples in one unit of work if the database has no users. Returns whether it did. */
export async function loadSampleLibrary({ slices, run, services, reads, files }: Loading): Promise<boolean> {
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
      const people = { admin, editor, viewer };
      const servicesOf = (person: Person) => {
        const { id, role } = people[person];
        return services(uow, { id, role, sessionId: "" });
      };
      for (const slice of slices) await slice.seed?.({ files, servicesOf });
    });
    return true;
  } catch (error) {
    // A concurrent process has loaded it.
    if (error instanceof ApplicationError && error.code === "DUPLICATE") return false;
    throw error;
  }
}

/** Waits for the workers, so that a first start shows a library that can be searched at once. */
export async function untilProcessed(
  { slices, reads }: Pick<Application, "slices"> & { reads: Reader },
  timeoutMs = 10_000,
): Promise<void> {
  const open = slices.flatMap(({ queue, needsProcessing }) =>
    queue && needsProcessing
      ? [sql`select 1 from ${raw(identifier(queue.table))} where status in ('PENDING', 'PROCESSING')`]
      : [],
  );
  if (open.length === 0) return;
  const statement = sql`${join(open, " union all ")} limit 1`;
  for (const until = Date.now() + timeoutMs; Date.now() < until; ) {
    if ((await reads.read(statement)).length === 0) return;
    await pause(50);
  }
}
