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

/** Linux's file system in memory. A container may give it a few megabytes only. */
const memoryFolder = "/dev/shm";
/** Room for the databases of all test files that run at once, and for the log. */
const neededBytes = 4 * 2 ** 30;

/** The folder in memory if it has enough room: each test file copies a database, which is about a thousand files. */
async function fastestFolder(): Promise<string> {
  const { bavail, bsize } = await statfs(memoryFolder).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > neededBytes ? memoryFolder : tmpdir();
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
