/**
 * kill -9 of the server while every mutation of the API is at the same point, then `doctor`: each has happened whole or
 * not at all, and a client that asks the next server with its key is told which.
 */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schema } from "../../src/composition.ts";
import type { TransactionPoint } from "../../src/database/transaction-guard.ts";
import { begin, makeFolder, run } from "../support/command.ts";
import { dump } from "../support/dump.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";

let lectern: Lectern;
let admin: Person;
let ada: Person;
let folder: Awaited<ReturnType<typeof makeFolder>>;
let environment: Record<string, string>;

beforeAll(async () => {
  lectern = await startLectern({ worker: true });
  admin = await lectern.person("Admin", "ADMIN");
  ada = await lectern.person("Ada");
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
    // Nothing but the kill ends what has stopped, on a slow machine too.
    TRANSACTION_TIMEOUT_MS: "60000",
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

/** A mutation, ready to be sent; what it needs is there. */
type Operation = {
  /** The field as GraphQL; the operation's name is made from the field's. */
  field: string;
  token: string | null;
  /** Whether a key may go with it: not where the answer holds tokens, nor where the session ends with it. */
  hasKey: boolean;
  /** SQL that is true exactly when it has happened. */
  happened: string;
};

const prepare: Record<string, () => Promise<Operation>> = {
  async createDocument() {
    const text = `Crash ${Math.random()}`;
    return {
      field: `createDocument(input: { title: "${text}", source: { text: "${text}" } }) { document { id } }`,
      token: ada.accessToken,
      hasKey: true,
      happened: `exists (select 1 from documents where title = '${text}' and text = '${text}')`,
    };
  },
  async updateDocument() {
    const { id, uuid, version } = await settledDocument();
    return {
      field: `updateDocument(input: { id: "${id}", expectedVersion: ${version}, title: "Crashed" }) { document { version } }`,
      token: ada.accessToken,
      hasKey: true,
      happened: `exists (select 1 from documents where id = '${uuid}' and title = 'Crashed' and version = ${version + 1})`,
    };
  },
  async deleteDocument() {
    const { id, uuid } = await settledDocument();
    return {
      field: `deleteDocument(input: { id: "${id}" }) { deletedId }`,
      token: ada.accessToken,
      hasKey: true,
      happened: `not exists (select 1 from documents where id = '${uuid}')`,
    };
  },
  async reprocessDocument() {
    const { id, uuid, version } = await settledDocument();
    return {
      field: `reprocessDocument(input: { id: "${id}" }) { document { status } }`,
      token: ada.accessToken,
      hasKey: true,
      happened: `exists (select 1 from documents where id = '${uuid}' and version > ${version})`,
    };
  },
  async setUserRole() {
    const { id } = await lectern.person("Riser");
    return {
      field: `setUserRole(input: { userId: "${id}", role: EDITOR }) { user { role } }`,
      token: admin.accessToken,
      hasKey: true,
      happened: `exists (select 1 from users where id = '${uuidOf(id)}' and role = 'EDITOR')`,
    };
  },
  async signUp() {
    const email = `crash-${Math.random()}@lectern.test`;
    return {
      field: `signUp(input: { email: "${email}", name: "New", password: "a good password" }) { user { id } }`,
      token: null,
      hasKey: false,
      happened: `exists (select 1 from users u join sessions s on s.user_id = u.id where u.email = '${email}')`,
    };
  },
  async signIn() {
    const { id, email } = await lectern.person("Comer");
    return {
      field: `signIn(input: { email: "${email}", password: "a good password" }) { user { id } }`,
      token: null,
      hasKey: false,
      happened: `(select count(*) = 2 from sessions where user_id = '${uuidOf(id)}')`,
    };
  },
  async refreshSession() {
    const { id, refreshToken } = await lectern.person("Refresher");
    return {
      field: `refreshSession(input: { refreshToken: "${refreshToken}" }) { user { id } }`,
      token: null,
      hasKey: false,
      happened: `exists (select 1 from sessions where user_id = '${uuidOf(id)}' and refreshed_at > created_at)`,
    };
  },
  async signOut() {
    const { id, accessToken } = await lectern.person("Leaver");
    return {
      field: "signOut { ok }",
      token: accessToken,
      hasKey: false,
      happened: `exists (select 1 from sessions where user_id = '${uuidOf(id)}' and revoked_at is not null)`,
    };
  },
};

const uuidOf = (globalId: string) => Buffer.from(globalId, "base64url").toString().split(":")[1] as string;

async function settledDocument(): Promise<{ id: string; uuid: string; version: number }> {
  const { id } = await ada.document();
  await lectern.settled();
  const uuid = uuidOf(id);
  const [row] = await lectern.database.query("select version from documents where id = $1", [uuid]);
  return { id, uuid, version: row?.version as number };
}

async function send(url: string, query: string, token: string | null, key: string | null = null) {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(key ? { "idempotency-key": key } : {}),
    },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.json()) as { data: object | null };
  return { data, isReplay: response.headers.get("idempotent-replay") === "true" };
}

/** Waits until the database has noticed that the server is gone. */
async function untilAllEnded(): Promise<void> {
  const open =
    "select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
  while ((await lectern.database.query(open)).length > 0) await pause(20);
}

async function examine(): Promise<void> {
  const { code, stdout } = await run(["doctor"], { environment });
  expect([code, stdout]).toEqual([0, expect.not.stringContaining("BAD")]);
}

const names = Object.keys(prepare);

describe("kill -9", { timeout: 60_000 }, () => {
  it("is tried on every mutation that there is", () => {
    expect(names.sort()).toEqual(Object.keys(schema.getMutationType()?.getFields() ?? {}).sort());
  });

  it.each<{ point: TransactionPoint; hasHappened: boolean }>([
    { point: "begin", hasHappened: false },
    { point: "statement", hasHappened: false },
    { point: "before_commit", hasHappened: false },
    { point: "after_commit", hasHappened: true },
    { point: "before_answer", hasHappened: true },
  ])("of all mutations at $point: they have happened is $hasHappened", async ({ point, hasHappened }) => {
    const operations = await Promise.all(
      Object.entries(prepare).map(async ([name, make]) => {
        const operation = await make();
        const key = operation.hasKey ? `${name}-${point}` : null;
        return { ...operation, name, key, query: `mutation Kill_${name} { ${operation.field} }` };
      }),
    );
    await lectern.settled();
    // No worker takes what is PENDING while the tables are compared.
    const before = await dump(lectern.database);
    const server = begin([point], { environment, program: join(import.meta.dirname, "../support/halting-server.ts") });
    const [, url] = await server.printed(/listening (http\S+)/);
    const answers = Promise.allSettled(
      operations.map(({ query, token, key }) => send(url as string, query, token, key)),
    );
    for (const name of names) await server.printed(`halted Kill_${name}\n`);
    server.process.kill("SIGKILL");
    expect((await server.ended).signal).toBe("SIGKILL");
    // Nobody was told anything.
    expect((await answers).filter(({ status }) => status === "fulfilled")).toEqual([]);
    await untilAllEnded();

    if (!hasHappened) expect(await dump(lectern.database)).toEqual(before);
    const [happened] = await lectern.database.query(
      `select ${operations.map(({ name, happened }) => `${happened} as "${name}"`).join(", ")}`,
    );
    expect(happened).toEqual(Object.fromEntries(names.map((name) => [name, hasHappened])));
    // The next server knows what became of it.
    for (const { name, query, token, key } of operations) {
      if (!key) continue;
      const { data, isReplay } = await send(lectern.url, query, token, key);
      expect([name, data === null, isReplay]).toEqual([name, false, hasHappened]);
    }
    await examine();
  });

  it("by CRASH_AT, of the real server, which then starts again", async () => {
    const { field, happened } = await (prepare.updateDocument as () => Promise<Operation>)();
    const crashing = await startServer("before_commit");
    await expect(send(crashing.url, `mutation { ${field} }`, ada.accessToken)).rejects.toThrow();
    expect((await crashing.ended).signal).toBe("SIGKILL");
    const server = await startServer();
    await untilAllEnded();
    expect(await lectern.database.query(`select ${happened} as happened`)).toEqual([{ happened: false }]);
    expect((await send(server.url, `mutation { ${field} }`, ada.accessToken)).data).not.toBeNull();
    expect(await lectern.database.query(`select ${happened} as happened`)).toEqual([{ happened: true }]);
    server.process.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
    await examine();
  });

  it("by CRASH_AT is refused in production", async () => {
    const production = { ...environment, NODE_ENV: "production", CRASH_AT: "before_commit" };
    const { code, stderr } = await run(["start"], { environment: production });
    expect([code, stderr]).toEqual([1, expect.stringContaining("CRASH_AT: is for tests, not for production")]);
  });
});
