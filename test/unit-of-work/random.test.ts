/**
 * Random operations of one to six mutations over the whole API, each with one failure at a random point. Whatever
 * fails, wherever: no table has changed, nobody was told of anything, and the answer has no data.
 *
 * A failing run prints its seed and the smallest operation that fails; LECTERN_SEED repeats it.
 */
import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TransactionPoint } from "../../src/unit-of-work/transaction-guard.ts";
import { dump } from "../support/dump.ts";
import { filesOf } from "../support/files.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { isLong, rounds } from "../support/rounds.ts";
import { postFile } from "../support/upload.ts";

let lectern: Lectern;
let admin: Person;
let listener: pg.Client;
let documents: { id: string; version: number; isDone: boolean }[];
let users: string[];

/** What the next operation meets: an error at the so-manieth time that a try comes to a point. */
let injected: { point: TransactionPoint; at: number; error: () => unknown } | undefined;
let reached: Record<TransactionPoint, number>;
const notifications: string[] = [];

const forget = () => {
  reached = { begin: 0, statement: 0, before_commit: 0, after_commit: 0, before_answer: 0 };
};

beforeAll(async () => {
  forget();
  lectern = await startLectern({
    worker: true,
    settings: { TRANSACTION_ATTEMPTS: "2" },
    // Its transactions would come to the same points, be counted with the operation's, and take the error meant for it.
    housekeeping: false,
    probe: (point) => {
      // Every try begins anew, and fails anew.
      if (point === "begin") forget();
      reached[point]++;
      if (injected?.point === point && reached[point] === injected.at) throw injected.error();
    },
  });
  admin = await lectern.person("Admin", "ADMIN");
  users = [(await lectern.person("Bob")).id, (await lectern.person("Eve", "EDITOR")).id];
  const done = [await admin.document({ text: "One that is done." }), await admin.document({ text: "And another." })];
  await lectern.settled();
  // The queue sleeps from here on, so that nothing but the operations changes a table.
  await lectern.database.query("create function sleep() returns trigger language plpgsql as 'begin return null; end'");
  await lectern.database.query(
    "create trigger sleep before update on documents for each row when (new.status = 'PROCESSING') execute function sleep()",
  );
  const waiting = [await admin.document({ text: "One that waits." })];
  documents = [
    ...done.map(({ id }) => ({ id, version: 0, isDone: true })),
    ...waiting.map(({ id }) => ({ id, version: 0, isDone: false })),
  ];
  for (const document of documents) {
    const uuid = uuidOf(document.id);
    const [row] = await lectern.database.query("select version from documents where id = $1", [uuid]);
    document.version = row?.version as number;
  }
  listener = new pg.Client({ connectionString: lectern.database.url });
  await listener.connect();
  listener.on("notification", ({ channel }) => notifications.push(channel));
  await listener.query("listen documents_pending; listen outbox");
});
afterAll(async () => {
  await listener.end();
  await lectern.stop();
});

type Place = readonly [TransactionPoint, number];
type Step =
  | { kind: "create"; text: string; read: boolean; isFile: boolean }
  | { kind: "update" | "reprocess" | "delete"; document: number }
  | { kind: "setRole"; user: number; role: string }
  | { kind: "signUp"; email: number }
  | { kind: "signIn" | "signOut" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("create" as const),
      text: fc.string({ minLength: 1, maxLength: 20 }).map((text) => `Text ${text}`),
      read: fc.boolean(),
      isFile: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("update" as const, "reprocess" as const, "delete" as const),
      document: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("setRole" as const),
      user: fc.nat({ max: 1 }),
      role: fc.constantFrom("VIEWER", "EDITOR", "ADMIN"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("signUp" as const), email: fc.nat({ max: 3 }) }) },
  {
    weight: 1,
    // Not refreshSession: it cannot be run dry, and a token used twice ends its session whatever else fails.
    arbitrary: fc.record({ kind: fc.constantFrom("signIn" as const, "signOut" as const) }),
  },
);

/** The operation as GraphQL. Versions are followed, so that most operations would succeed. */
function operationOf(steps: readonly Step[]): string {
  const versions = documents.map(({ version }) => version);
  const fields = steps.map((step, index) => {
    const field = (text: string) => `  f${index}: ${text}`;
    switch (step.kind) {
      case "create": {
        const read = step.read ? "owner { documents(first: 5) { totalCount nodes { title text } } }" : "title";
        const source = step.isFile
          ? "source: { file: $file }"
          : `source: { text: ${JSON.stringify(`${step.text} ${index}`)} }`;
        return field(`createDocument(input: { ${source} }) { isDuplicate document { id ${read} } }`);
      }
      case "setRole":
        return field(`setUserRole(input: { userId: "${users[step.user]}", role: ${step.role} }) { user { role } }`);
      case "signUp": {
        const input = `email: "new-${step.email}@x", name: "New", password: "a good password"`;
        return field(`signUp(input: { ${input} }) { user { id name } }`);
      }
      case "signIn":
        return field(`signIn(input: { email: "${admin.email}", password: "a good password" }) { expiresAt }`);
      case "signOut":
        return field("signOut { ok }");
      default: {
        const { id } = documents[step.document] as { id: string };
        const version = versions[step.document] as number;
        versions[step.document] = version + 1;
        const input = `id: "${id}", expectedVersion: ${version}`;
        if (step.kind === "delete") return field(`deleteDocument(input: { ${input} }) { deletedId }`);
        if (step.kind === "reprocess") return field(`reprocessDocument(input: { ${input} }) { document { status } }`);
        return field(`updateDocument(input: { ${input}, title: "Title ${index}" }) { document { title version } }`);
      }
    }
  });
  const hasFile = steps.some((step) => step.kind === "create" && step.isFile);
  return `mutation${hasFile ? "($file: File!)" : ""} {\n${fields.join("\n")}\n}`;
}

type Answer = { data: Record<string, unknown> | null; errors?: { path?: string[]; extensions: { code: string } }[] };

/** With a file, where the operation has one. */
async function send(query: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { accessToken } = admin;
  const file = new File(["<!doctype html><title>A page</title><p>Words."], "page.html");
  const response = await (query.includes("$file")
    ? postFile(lectern.url, { query, file, accessToken, headers })
    : post(lectern.url, { query, accessToken, headers }));
  return (await response.json()) as Answer;
}

const failures: Record<string, () => unknown> = {
  "an error of ours": () => new Error("Injected."),
  "a conflict at every try": () => Object.assign(new Error("Injected."), { code: "40001" }),
  "a lost connection at every try": () => new Error("Connection terminated unexpectedly"),
};

it(`leaves nothing behind, ${rounds(60, 1_500)} times`, { timeout: 1_800_000 }, async () => {
  const before = await dump(lectern.database);
  const files = await filesOf(lectern);
  const told = notifications.length;
  const tally = { natural: 0, injected: 0 };
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 6 }),
    fc.constantFrom(...Object.keys(failures)),
    fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    async (steps, failure, where) => {
      const query = operationOf(steps);
      // A dry run says how far the operation comes by itself, and leaves nothing behind either.
      injected = undefined;
      forget();
      const dry = await send(query, { "lectern-dry-run": "true" });
      if (dry.data === null) tally.natural++;
      else tally.injected++;
      const points = Array.from({ length: reached.statement }, (_, index): Place => ["statement", index + 1]);
      if (dry.data !== null) points.push(["begin", 1], ["before_commit", 1]);
      const [point, at] = points[Math.floor(where * points.length)] ?? ["begin", 1];
      injected = { point, at, error: failures[failure] as () => unknown };
      const answer = await send(query);
      injected = undefined;

      expect(answer.data).toBeNull();
      const rootsWith = (isRolledBack: boolean) =>
        (answer.errors ?? [])
          .filter(({ extensions }) => (extensions.code === "ROLLED_BACK") === isRolledBack)
          .map(({ path }) => path?.[0]);
      // One field failed, or the end of all; a statement for several values is told at each. The others had succeeded.
      const [failed, undone] = [rootsWith(false), rootsWith(true)];
      expect(new Set(failed).size).toBe(1);
      expect(undone).toEqual([...new Set(undone)].filter((key) => key !== undefined && key !== failed[0]));
      expect(await dump(lectern.database)).toEqual(before);
      await expect.poll(() => filesOf(lectern)).toEqual(files);
      expect(notifications).toHaveLength(told);
      const { pool } = lectern.application.database;
      expect(pool.idleCount).toBe(pool.totalCount);
    },
  );
  const seed = Number(process.env.LECTERN_SEED ?? Date.now() % 2 ** 31);
  console.log(`random operations: LECTERN_SEED=${seed}`);
  await fc.assert(property, { seed, numRuns: rounds(60, 1_500), verbose: isLong ? 0 : 1 });
  // Most operations would have succeeded, or the test would prove little.
  console.log("operations that", tally);
  expect(tally.injected).toBeGreaterThan(rounds(60, 1_500) / 4);
});
