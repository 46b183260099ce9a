/** A PostgreSQL for one run, of the tests say, in a folder of its own: gone with the run, however that ends. */
import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/postgres/embedded-postgres.ts";

export type TemporaryPostgres = Pick<EmbeddedPostgres, "url" | "stop"> & { folder: string };

/** What a crash of the machine would lose is no loss in tests. */
const forgetful = { fsync: "off", full_page_writes: "off", synchronous_commit: "off", max_connections: "300" };

export async function startTemporaryPostgres(settings: Record<string, string> = forgetful): Promise<TemporaryPostgres> {
  const folder = await mkdtemp(join(await fastestFolder(), "lectern-test-"));
  // The database may run as another user, who must pass through.
  await chmod(folder, 0o755);
  const endWatch = watch(folder);
  const server = await startEmbeddedPostgres({
    folder: join(folder, "postgres"),
    settings,
  });
  return {
    url: server.url,
    folder,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
      endWatch();
    },
  };
}

const memory = "/dev/shm";
const neededBytes = 4 * 2 ** 30;

/** Linux's files in memory if they have enough room, since each test file copies a database of about a thousand files. */
async function fastestFolder(): Promise<string> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > neededBytes ? memory : tmpdir();
}

/**
 * The server outlives the process that started it. So another process waits at the end of a pipe: when that breaks,
 * because this process was killed, it ends the server and removes the folder.
 */
function watch(folder: string): () => void {
  const watcher = join(import.meta.dirname, "postgres-watcher.ts");
  // In a session of its own, so that what kills this process and its group does not reach it.
  const child = spawn(process.execPath, [watcher, folder], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.unref();
  return () => child.stdin.end();
}
