/** `npm start`, as somebody without a database sees it: a story over one data folder, and what may go wrong in it. */
import { readFileSync } from "node:fs";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GraphQLClient } from "graphql-request";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { DatabaseClient } from "../../src/database/client.ts";
import {
  begin,
  databaseProcess,
  freePort,
  isAlive,
  makeFolder,
  occupy,
  type Running,
  run,
} from "../support/command.ts";
import { until } from "../support/until.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let port: number;
let environment: Record<string, string>;
/** What a test that fails in the middle leaves running. */
const begun: Running[] = [];

beforeAll(async () => {
  folder = await makeFolder();
  port = await freePort();
  environment = { DATA_DIR: join(folder.path, "data"), PORT: String(port) };
});
afterAll(async () => {
  for (const { process: child, ended } of begun) {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
    await ended;
  }
  const left = await databaseProcess(environment.DATA_DIR as string);
  if (left) process.kill(left, "SIGQUIT");
  await folder.remove();
});

type Library = {
  documents: { totalCount: number; nodes: { title: string; status: string }[] };
  searchChunks: { totalCount: number; nodes: { snippet: string }[] };
};

async function start(more: Record<string, string> = {}) {
  const running = begin(["start"], { environment: { ...environment, ...more }, folder: folder.path });
  begun.push(running);
  const [, url] = await running.printed(/(?:Lectern is ready: |"address":")([^\s"]+)/);
  const cpuSeconds = cpuSecondsOf(running);
  // For people in words, and for machines as a line of the log.
  await running.printed(/Ctrl-C stops it\.|"msg":"ready"/);
  return { running, url: url as string, cpuSeconds };
}

/**
 * Processor time that a start has taken so far: how fast it is, whatever else the machine does. Zero where it cannot be
 * measured.
 */
function cpuSecondsOf({ process: { pid } }: Running): number {
  if (process.platform !== "linux") return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  // In hundredths of a second: as a program, and in the system for it.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function signIn(url: string, email = "viewer@lectern.example"): Promise<GraphQLClient> {
  const { signIn } = await new GraphQLClient(url).request<{ signIn: { accessToken: string } }>(
    "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }",
    { input: { email, password: "lectern-demo" } },
  );
  return new GraphQLClient(url, { headers: { authorization: `Bearer ${signIn.accessToken}` } });
}

function readLibrary(client: GraphQLClient): Promise<Library> {
  return client.request(`{
    documents(first: 100) { totalCount nodes { title status } }
    searchChunks(query: "lectern", first: 1) { totalCount nodes { snippet } }
  }`);
}

async function readProcessedLibrary(client: GraphQLClient): Promise<Library> {
  let library = await readLibrary(client);
  await until(
    async () => {
      library = await readLibrary(client);
      return library.documents.nodes.every(({ status }) => status === "COMPLETED" || status === "FAILED");
    },
    "all documents are processed",
    40_000,
  );
  return library;
}

const interrupt = async ({ process: child, ended }: Running) => {
  child.kill("SIGINT");
  return ended;
};

describe("a start without DATABASE_URL", () => {
  let client: GraphQLClient;
  let first: Library;

  it("makes a database, loads the sample library, and says where everything is", async () => {
    const { running, url, cpuSeconds } = await start();
    expect(cpuSeconds).toBeLessThan(10);
    expect(url).toBe(`http://127.0.0.1:${port}/graphql`);
    const lines = running.output().split("\n");
    expect(lines).toContain(`  GraphiQL   ${url}`);
    expect(lines).toContain("  Sign in    admin@lectern.example, editor@lectern.example, viewer@lectern.example");
    expect(lines).toContain("             password: lectern-demo (development only)");
    expect(lines).toContain("  Data       data");

    client = await signIn(url);
    first = await readLibrary(client);
    for (const name of ["admin", "editor"]) await signIn(url, `${name}@lectern.example`);
    expect(first.documents.totalCount).toBeGreaterThan(0);
    expect(first.documents.nodes.map(({ status }) => status)).toEqual(first.documents.nodes.map(() => "COMPLETED"));
    expect(first.searchChunks.totalCount).toBeGreaterThan(0);
    expect(first.searchChunks.nodes[0]?.snippet).toMatch(/<mark>lectern<\/mark>/i);
  });

  it("makes playlists of the sounds as soon as these are decoded, while it runs", async () => {
    const names = async () => {
      const { playlists } = await client.request<{ playlists: { nodes: { name: string }[] } }>(
        "{ playlists { nodes { name } } }",
      );
      return playlists.nodes.map(({ name }) => name).join();
    };
    await until(async () => (await names()) === "Daytime,Lobby", "the playlists are there", 40_000);
  });

  it("keeps what it must keep to itself", async () => {
    const modeOf = async (path: string) => ((await stat(join(folder.path, "data", path))).mode & 0o777).toString(8);
    expect(await modeOf("auth-secret")).toBe("600");
    expect(await modeOf("postgres")).toBe("700");
    expect(await modeOf("postgres/password")).toBe("600");
    // The sixth line is the address on which the database listens.
    const lines = (await readFile(join(folder.path, "data/postgres/data/postmaster.pid"), "utf8")).split("\n");
    expect(lines[5]).toBe("127.0.0.1");
    const stranger = new DatabaseClient({ connectionString: `postgresql://postgres@127.0.0.1:${lines[3]}/lectern` });
    await expect(stranger.connect()).rejects.toThrow("password");
  });

  it("stops all of it at Ctrl-C, the database too", async () => {
    const database = await databaseProcess(environment.DATA_DIR as string);
    expect(database).not.toBeNull();
    const began = performance.now();
    expect(await interrupt(begun[0] as Running)).toMatchObject({ code: 0, stderr: "" });
    // Requests under way would be given ten seconds. There is none, so that it takes a small part of that.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(isAlive(database as number)).toBe(false);
    expect(await databaseProcess(environment.DATA_DIR as string)).toBeNull();
  });

  it("takes less than 5 s of processor time the second time, with the same data and the same sessions", async () => {
    const { running, cpuSeconds } = await start();
    expect(cpuSeconds).toBeLessThan(5);
    expect(await readLibrary(client)).toEqual(first);
    expect(running.output()).not.toContain("migrated");

    // In a terminal Ctrl-C reaches everybody in the group, and the database must still go last.
    process.kill(-(running.process.pid as number), "SIGINT");
    expect(await running.ended).toMatchObject({ code: 0, stderr: "" });
    expect(await databaseProcess(environment.DATA_DIR as string)).toBeNull();
  });

  it("adopts the database that a crash left behind", async () => {
    const crashed = await start();
    const database = await databaseProcess(environment.DATA_DIR as string);
    crashed.running.process.kill("SIGKILL");
    expect(await crashed.running.ended).toMatchObject({ signal: "SIGKILL" });
    expect(await databaseProcess(environment.DATA_DIR as string)).toBe(database);
    // Had it crashed while it was starting, this would be left as well.
    await writeFile(join(folder.path, "data/postgres/lock"), String(crashed.running.process.pid));

    const { running } = await start();
    expect(await databaseProcess(environment.DATA_DIR as string)).toBe(database);
    expect(await readLibrary(client)).toEqual(first);
    expect(await interrupt(running)).toMatchObject({ code: 0 });
    expect(await databaseProcess(environment.DATA_DIR as string)).toBeNull();
  });

  it("shares the database with a second start, from which the first one's end does not take it", async () => {
    const one = await start();
    const database = await databaseProcess(environment.DATA_DIR as string);
    const two = await start();
    expect(two.url).toBe(`http://127.0.0.1:${port + 1}/graphql`);
    expect(await interrupt(one.running)).toMatchObject({ code: 0 });
    expect(await databaseProcess(environment.DATA_DIR as string)).toBe(database);
    expect(await readLibrary(await signIn(two.url))).toEqual(first);
    expect(await interrupt(two.running)).toMatchObject({ code: 0 });
    expect(await databaseProcess(environment.DATA_DIR as string)).toBeNull();
  });

  it("is not disturbed by a command on the same data", async () => {
    const { running, url } = await start({ WORKERS: "0" });
    const database = await databaseProcess(environment.DATA_DIR as string);
    const doctor = await run(["doctor"], { environment });
    expect(doctor).toMatchObject({ code: 0, stderr: "" });
    expect(await databaseProcess(environment.DATA_DIR as string)).toBe(database);
    expect(await readLibrary(await signIn(url))).toEqual(first);
    expect(await interrupt(running)).toMatchObject({ code: 0 });
  });

  it("may be begun by several at the same moment, which share what one of them makes", async () => {
    const fresh = { DATA_DIR: join(folder.path, "together") };
    const [one, two] = await Promise.all([start(fresh), start(fresh)]);
    expect([one.url, two.url].sort()).toEqual([port, port + 1].map((at) => `http://127.0.0.1:${at}/graphql`));
    const library = await readProcessedLibrary(await signIn(one.url));
    expect(library.documents.totalCount).toBe(first.documents.totalCount);
    expect(await readLibrary(await signIn(two.url))).toEqual(library);
    expect(await Promise.all([interrupt(one.running), interrupt(two.running)])).toMatchObject([
      { code: 0 },
      { code: 0 },
    ]);
    expect(await databaseProcess(fresh.DATA_DIR)).toBeNull();
  });

  it("leaves nothing running when it is stopped while it starts", async () => {
    const fresh = join(folder.path, "interrupted");
    const running = begin(["start"], { environment: { ...environment, DATA_DIR: fresh } });
    begun.push(running);
    await until(async () => (await databaseProcess(fresh)) !== null, "the database runs", 40_000);
    const { code, stderr } = await interrupt(running);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await databaseProcess(fresh)).toBeNull();
  });
});

describe("a port that is taken", () => {
  it("is left for the next free one in development", async () => {
    const taken = await occupy(port);
    onTestFinished(() => taken.free());
    const { running, url } = await start();
    expect(url).toBe(`http://127.0.0.1:${port + 1}/graphql`);
    expect(running.output()).toContain(`  GraphiQL   ${url}`);
    expect(await interrupt(running)).toMatchObject({ code: 0 });
  });

  it("ends the start with one line in production, and the database with it", async () => {
    const taken = await occupy(port);
    onTestFinished(() => taken.free());
    const production = { NODE_ENV: "production", AUTH_SECRET: "x".repeat(32), PUBLIC_URL: "https://lectern.example" };
    const { code, stderr } = await run(["start"], { environment: { ...environment, ...production } });
    expect({ code, stderr }).toEqual({ code: 1, stderr: `Port ${port} is in use: set PORT to another one.\n` });
    expect(await databaseProcess(environment.DATA_DIR as string)).toBeNull();
  });
});

describe("a data folder that cannot be used", () => {
  it("is named in one line", async () => {
    const file = join(folder.path, "a-file");
    await writeFile(file, "");
    const secret = { AUTH_SECRET: "x".repeat(32) };
    const { code, stderr } = await run(["start"], { environment: { ...environment, ...secret, DATA_DIR: file } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The database's folder cannot be used: .*a-file.* Set DATA_DIR to another\.\n$/);
  });

  it.skipIf(process.getuid?.() !== 0)("is named when only root can reach it", async () => {
    const closed = await makeFolder();
    onTestFinished(() => closed.remove());
    await chmod(closed.path, 0o700);
    const { code, stderr } = await run(["start"], { environment: { ...environment, DATA_DIR: closed.path } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The database runs as the user "postgres", who cannot reach .*DATABASE_URL\.\n$/);
  });
});

describe("a start in production", () => {
  it("loads no sample, shows no GraphiQL and says only where it is", async () => {
    const data = join(folder.path, "production");
    const { running, url } = await start({
      DATA_DIR: data,
      NODE_ENV: "production",
      AUTH_SECRET: "x".repeat(32),
      PUBLIC_URL: "https://lectern.example",
      LOG_FORMAT: "pretty",
    });
    expect(running.output()).not.toContain("lectern-demo");
    const page = await fetch(url, { headers: { accept: "text/html" } });
    expect(await page.text()).not.toMatch(/graphiql/i);
    await expect(signIn(url, "admin@lectern.example")).rejects.toThrow("The e-mail or the password is wrong.");

    const created = await run(["user", "create", "--email", "boss@lectern.test", "--name", "Boss", "--admin"], {
      environment: {
        DATA_DIR: data,
        NODE_ENV: "production",
        AUTH_SECRET: "x".repeat(32),
        PUBLIC_URL: "https://lectern.example",
        LECTERN_PASSWORD: "lectern-demo",
      },
    });
    expect(created).toMatchObject({ code: 0, stdout: "Made boss@lectern.test as ADMIN.\n", stderr: "" });
    const boss = await signIn(url, "boss@lectern.test");
    expect(await boss.request("{ viewer { user { role } } documents { totalCount } }")).toEqual({
      viewer: { user: { role: "ADMIN" } },
      documents: { totalCount: 0 },
    });
    expect(await interrupt(running)).toMatchObject({ code: 0, stderr: "" });
    expect(await databaseProcess(data)).toBeNull();
  });
});
