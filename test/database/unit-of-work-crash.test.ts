/**
 * kill -9 of the server at named points of an operation (CRASH_AT), then another start and `doctor`: the operation has
 * happened whole or not at all, and a client that asks again with its key is told which.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TransactionPoint } from "../../src/database/transaction-guard.ts";
import { begin, makeFolder, run } from "../support/command.ts";
import { dump } from "../support/dump.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { isLong } from "../support/rounds.ts";

let lectern: Lectern;
let admin: Person;
let bob: Person;
let folder: Awaited<ReturnType<typeof makeFolder>>;
let environment: Record<string, string>;

beforeAll(async () => {
  lectern = await startLectern({ worker: true });
  admin = await lectern.person("Admin", "ADMIN");
  bob = await lectern.person("Bob");
  folder = await makeFolder();
  environment = {
    NODE_ENV: "test",
    DATABASE_URL: lectern.database.url,
    DATA_DIR: folder.path,
    AUTH_SECRET: lectern.config.AUTH_SECRET,
    // Tokens are good for the server that issued them only.
    PUBLIC_URL: "http://lectern.test",
    PORT: "0",
    WORKERS: "0",
    LOG_LEVEL: "warn",
  };
});
afterAll(async () => {
  await lectern.stop();
  await folder.remove();
});

/** A server in a process of its own. */
async function startServer(crashAt?: TransactionPoint) {
  const server = begin(["start"], { environment: { ...environment, ...(crashAt ? { CRASH_AT: crashAt } : {}) } });
  const [, url] = await server.printed(/Lectern is ready: (http\S+)/);
  return { ...server, url: url as string };
}

/** Sent by the admin, unless somebody else's token is given. */
type Operation = { query: string; hasKey: boolean; token?: string };

const operations: Record<string, () => Promise<Operation>> = {
  createDocument: async () => ({
    query: `mutation { createDocument(input: { source: { text: "Crash ${Math.random()}" } }) { document { id } } }`,
    hasKey: true,
  }),
  updateDocument: async () => {
    const { id, version } = await settledDocument();
    const input = `id: "${id}", expectedVersion: ${version}, title: "Crashed"`;
    return { query: `mutation { updateDocument(input: { ${input} }) { document { version } } }`, hasKey: true };
  },
  deleteDocument: async () => {
    const { id } = await settledDocument();
    return { query: `mutation { deleteDocument(input: { id: "${id}" }) { deletedId } }`, hasKey: true };
  },
  reprocessDocument: async () => {
    const { id } = await settledDocument();
    return { query: `mutation { reprocessDocument(input: { id: "${id}" }) { document { status } } }`, hasKey: true };
  },
  setUserRole: async () => ({
    query: `mutation { setUserRole(input: { userId: "${bob.id}", role: EDITOR }) { user { role } } }`,
    hasKey: true,
  }),
  signUp: async () => {
    const input = `email: "crash-${Math.random()}@lectern.test", name: "New", password: "a good password"`;
    return { query: `mutation { signUp(input: { ${input} }) { user { id } } }`, hasKey: false };
  },
  signIn: async () => ({
    query: `mutation { signIn(input: { email: "${bob.email}", password: "a good password" }) { user { id } } }`,
    hasKey: false,
  }),
  signOut: async () => ({
    query: "mutation { signOut { ok } }",
    // A session that is over replays nothing.
    hasKey: false,
    token: (await lectern.person("Leaver")).accessToken,
  }),
  refreshSession: async () => {
    const { refreshToken } = await lectern.person("Refresher");
    const input = `refreshToken: "${refreshToken}"`;
    return { query: `mutation { refreshSession(input: { ${input} }) { user { id } } }`, hasKey: false };
  },
};

async function settledDocument(): Promise<{ id: string; version: number }> {
  const { id } = await admin.document();
  await lectern.settled();
  const uuid = Buffer.from(id, "base64url").toString().split(":")[1];
  const [row] = await lectern.database.query("select version from documents where id = $1", [uuid]);
  return { id, version: row?.version as number };
}

async function send(url: string, query: string, key: string | null, token = admin.accessToken) {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${token}`,
      ...(key ? { "idempotency-key": key } : {}),
    },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.json()) as { data: object | null };
  return { data, isReplay: response.headers.get("idempotent-replay") === "true" };
}

const points: { point: TransactionPoint; happened: boolean }[] = [
  { point: "begin", happened: false },
  { point: "statement", happened: false },
  { point: "before_commit", happened: false },
  { point: "after_commit", happened: true },
  { point: "before_answer", happened: true },
];
const tried = isLong ? Object.keys(operations) : ["updateDocument"];
const cases = tried.flatMap((name) =>
  points.filter(({ point }) => isLong || point.includes("_")).map((each) => ({ name, ...each })),
);

describe("kill -9", () => {
  it.each(cases)(
    "of $name at $point: happened is $happened",
    { timeout: 60_000 },
    async ({ name, point, happened }) => {
      const { query, hasKey, token } = await (operations[name] as () => Promise<Operation>)();
      const key = hasKey ? `${name}-${point}` : null;
      await lectern.settled();
      const before = await dump(lectern.database);
      const server = await startServer(point);
      await expect(send(server.url, query, key, token)).rejects.toThrow();
      expect((await server.ended).signal).toBe("SIGKILL");
      const after = await dump(lectern.database);
      if (happened) expect(after).not.toEqual(before);
      else expect(after).toEqual(before);
      if (!key) return;
      // The next server knows what became of it.
      const { data, isReplay } = await send(lectern.url, query, key);
      expect([data === null, isReplay]).toEqual([false, happened]);
    },
  );

  it("leaves nothing that the doctor finds, and nothing that keeps a server from starting", async () => {
    await lectern.settled();
    const examined = await run(["doctor"], { environment });
    expect([examined.code, examined.stdout]).toEqual([0, expect.not.stringContaining("BAD")]);
    const server = await startServer();
    expect((await send(server.url, "{ viewer { user { id } } }", null)).data).not.toBeNull();
    server.process.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
    const open = await lectern.database.query(
      "select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    );
    expect(open).toEqual([]);
  });

  it("by CRASH_AT is refused in production", async () => {
    const production = { ...environment, NODE_ENV: "production", CRASH_AT: "before_commit" };
    const { code, stderr } = await run(["start"], { environment: production });
    expect([code, stderr]).toEqual([1, expect.stringContaining("CRASH_AT: is for tests, not for production")]);
  });
});
