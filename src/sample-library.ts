/** What a first start in development holds: three demo users, and Lectern's own guides as shared documents. */
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Application } from "./composition.ts";
import type { Role } from "./database/generated/prisma/enums.ts";
import { sql } from "./eager-loading/sql.ts";
import { ApplicationError } from "./errors.ts";

export const demoPassword = "lectern-demo";

export const demoUsers: { email: string; name: string; role: Role }[] = [
  { email: "admin@lectern.example", name: "Ada Admin", role: "ADMIN" },
  { email: "editor@lectern.example", name: "Edith Editor", role: "EDITOR" },
  { email: "viewer@lectern.example", name: "Victor Viewer", role: "VIEWER" },
];

const folder = join(import.meta.dirname, "../prisma/sample-library");

/** Loads it into a database without users, in one unit of work. Returns whether it did. */
export async function loadSampleLibrary({ run, services, reads, files }: Application): Promise<boolean> {
  const [found] = await reads.read(sql`select exists (select 1 from users) as any`);
  if (found?.any) return false;
  const guides = (await readdir(folder)).filter((name) => name.endsWith(".md")).sort();
  const load = run({ name: "load the sample library" }, async (uow) => {
    const { users } = services(uow, null);
    const [admin, editor] = await Promise.all(
      demoUsers.map(({ email, name, role }) => users.createUser({ email, name, password: demoPassword }, role)),
    );
    if (!admin || !editor) throw new Error("The demo users are missing.");
    for (const [index, name] of guides.entries()) {
      const owner = index % 2 === 0 ? editor : admin;
      const { documents } = services(uow, { id: owner.id, role: owner.role, sessionId: "" });
      const file = await files.stage(createReadStream(join(folder, name)), { name, maxBytes: 1_000_000 });
      await documents.create({ source: { file }, visibility: "SHARED" });
      await files.discard(file);
    }
  });
  try {
    await load;
    return true;
  } catch (error) {
    // Another process that began in the same moment has loaded it.
    if (error instanceof ApplicationError && error.code === "DUPLICATE") return false;
    throw error;
  }
}

/** Waits until nothing is left to process, so that a first start shows a library that can be searched at once. */
export async function untilProcessed({ reads }: Pick<Application, "reads">, timeoutMs = 10_000): Promise<void> {
  const open = sql`select 1 from documents where status in ('PENDING', 'PROCESSING') limit 1`;
  for (const until = Date.now() + timeoutMs; Date.now() < until; ) {
    if ((await reads.read(open)).length === 0) return;
    await pause(50);
  }
}
