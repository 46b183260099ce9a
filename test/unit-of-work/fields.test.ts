/**
 * What a mutation field may declare and do, shown on a small schema of its own: isolation, preparation, errors as
 * data, effects. The unit of work and the database are the real ones.
 */
import type { GraphQLObjectType, GraphQLSchema } from "graphql";
import { createSchema, createYoga } from "graphql-yoga";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished, vi } from "vitest";
import { sql } from "../../src/eager-loading/sql.ts";
import { ApplicationError } from "../../src/errors.ts";
import type { OperationContext } from "../../src/graphql/context.ts";
import { answerFor } from "../../src/operations/error-answers.ts";
import { useMutations } from "../../src/operations/mutation-plugin.ts";
import { unitOfWorkRunner } from "../../src/unit-of-work/runner.ts";
import type { Probe } from "../../src/unit-of-work/transaction-guard.ts";
import type { Isolation, UnitOfWork } from "../../src/unit-of-work/unit-of-work.ts";
import { WriteDatabase } from "../../src/unit-of-work/write-database.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const typeDefs = `
  directive @defer(if: Boolean) on FRAGMENT_SPREAD | INLINE_FRAGMENT
  directive @stream(if: Boolean, initialCount: Int) on FIELD
  type Query { nothing: Int }
  type Note { text: String!  weak: String  strong: String!  brokenSql: String  level: String! }
  type Refusal { message: String! }
  union NoteOrRefusal = Note | Refusal
  type Notes { notes: [Note!]!  refusals: [Refusal!]! }
  type Mutation {
    write(text: String!): Note!
    writeStrictly(text: String!): Note!
    writeRepeatably(text: String!): Note!
    prepared(text: String!, fails: Int = 0): Note!
    refused(text: String!): NoteOrRefusal!
    partly(text: String!): Notes!
    fail: Note!
    failUnrepeatably(text: String!): Note!
    effects(fails: Boolean!): Note!
  }
`;

let database: TestDatabase;
let write: WriteDatabase;
/** What happened, in order. */
let events: string[] = [];

type Context = OperationContext & { uow: UnitOfWork };
const broken = () => {
  throw new ApplicationError("INVALID_STATE", "Broken.");
};
const conflict = () => Object.assign(new Error("in the way"), { code: "40001" });

async function note({ uow }: Context, text: string) {
  await uow.transaction();
  await uow.reader.read(sql`insert into notes (text) values (${text})`);
  return { __typename: "Note", text };
}

const resolvers = {
  Note: {
    weak: broken,
    strong: broken,
    brokenSql: (_: unknown, __: unknown, { uow }: Context) => uow.reader.read(sql`select 1 / 0`),
    level: async (_: unknown, __: unknown, { uow }: Context) => {
      const [row] = await uow.reader.read(sql`select current_setting('transaction_isolation') as level`);
      return row?.level;
    },
  },
  Mutation: {
    write: (_: unknown, { text }: { text: string }, context: Context) => note(context, text),
    writeStrictly: (_: unknown, { text }: { text: string }, context: Context) => note(context, text),
    writeRepeatably: (_: unknown, { text }: { text: string }, context: Context) => note(context, text),
    prepared: async (_: unknown, { text, fails }: { text: string; fails: number }, context: Context) => {
      const made = await context.uow.prepare(`make ${text}`, () => make(text));
      const written = await note(context, made);
      if (context.uow.attempt <= fails) throw conflict();
      return written;
    },
    refused: async (_: unknown, { text }: { text: string }, context: Context) => {
      await note(context, text);
      return { __typename: "Refusal", message: "Not today." };
    },
    partly: async (_: unknown, { text }: { text: string }, context: Context) => ({
      notes: [await note(context, text)],
      refusals: [{ message: "Not all of it." }],
    }),
    fail: broken,
    failUnrepeatably: async (_: unknown, { text }: { text: string }, context: Context) => {
      events.push("sent an e-mail");
      context.uow.forbidRetry("an e-mail was sent");
      await note(context, text);
      throw conflict();
    },
    effects: async (_: unknown, { fails }: { fails: boolean }, context: Context) => {
      context.uow.afterCommit(() => {
        events.push("after commit 1");
        throw new Error("An effect fails.");
      });
      context.uow.afterCommit(() => void events.push("after commit 2"));
      context.uow.afterAbort(() => void events.push(`after abort of try ${context.uow.attempt}`));
      await context.uow.prepare(
        "file",
        async () => "file",
        (file) => void events.push(`discarded ${file}`),
      );
      const written = await note(context, "effects");
      if (fails) broken();
      if (context.uow.attempt === 1) throw conflict();
      return written;
    },
  },
};

async function make(text: string): Promise<string> {
  events.push(`prepare ${text}`);
  return `made ${text}`;
}

let ask: (query: string) => Promise<{ data: unknown; errors?: { path?: string[]; extensions: { code: string } }[] }>;

const runnerOf = (tries: { maxAttempts: number; maxRetryMs: number }, probe: Probe = () => {}) =>
  unitOfWorkRunner<object>({
    database: write,
    reads: { read: () => Promise.reject(new Error("Nothing is read outside.")) },
    repositories: () => ({}),
    limits: { waitMs: 1_000, timeoutMs: 2_000, ...tries },
    logger: pino({ level: "silent" }),
    probe,
  });

beforeAll(async () => {
  database = await createTestDatabase(inject("serverUrl"), inject("templateName"));
  await database.query("create table notes (id serial primary key, text text not null)");
  const times = { waitMs: 1_000, lockTimeoutMs: 1_000, statementTimeoutMs: 1_000, transactionTimeoutMs: 2_000 };
  write = new WriteDatabase({ url: database.url, size: 3, ...times });
  const run = runnerOf({ maxAttempts: 4, maxRetryMs: 2_000 }, (point) => void events.push(point));
  const schema = createSchema({ typeDefs, resolvers: resolvers as never }) as GraphQLSchema;
  declare(schema);
  const show = (error: unknown) => answerFor(error, "request", pino({ level: "silent" }));
  const yoga = createYoga({
    schema: schema as never,
    logging: false,
    maskedErrors: { maskError: show },
    plugins: [
      useMutations({
        run: run as never,
        contextFor: (outer, uow) => ({ ...outer, uow, loaders: { clear: () => {} } }) as never,
        keptHours: 24,
        show,
      }),
    ],
  });
  ask = async (query) => {
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify({ query }) };
    return (await yoga.fetch("http://notes/graphql", request)).json() as never;
  };
});
beforeEach(async () => {
  events = [];
  await database.query("truncate notes");
});
afterAll(async () => {
  await write.close();
  await database.drop();
});

function declare(schema: GraphQLSchema): void {
  const fields = schema.getMutationType()?.getFields() ?? {};
  const isolations: Record<string, Isolation> = { writeStrictly: "Serializable", writeRepeatably: "RepeatableRead" };
  for (const [name, isolation] of Object.entries(isolations)) {
    Object.assign(fields[name] as object, { extensions: { isolation } });
  }
  Object.assign(fields.prepared as object, {
    extensions: {
      prepare: ({ text }: { text: string }, { uow }: Context) => uow.prepare(`make ${text}`, () => make(text)),
    },
  });
  (schema.getType("Refusal") as GraphQLObjectType).extensions = { isFailure: true };
}

const notes = async () => (await database.query("select text from notes order by id")).map(({ text }) => text);
const told = (errors: { path?: string[]; extensions: { code: string } }[] | undefined) =>
  errors?.map(({ path, extensions }) => [path, extensions.code]);

describe("a field below the root that fails", () => {
  it("is told and undoes nothing where it may be null", async () => {
    const { data, errors } = await ask('mutation { write(text: "kept") { text weak } }');
    expect(data).toEqual({ write: { text: "kept", weak: null } });
    expect(told(errors)).toEqual([[["write", "weak"], "INVALID_STATE"]]);
    expect(await notes()).toEqual(["kept"]);
  });

  it("undoes all where it may not", async () => {
    const { data, errors } = await ask('mutation { a: write(text: "a") { text } b: write(text: "b") { strong } }');
    expect(data).toBeNull();
    expect(told(errors)).toEqual([
      [["b", "strong"], "INVALID_STATE"],
      [["a"], "ROLLED_BACK"],
    ]);
    expect(await notes()).toEqual([]);
  });

  it("undoes all where it may, when what failed is a statement of the transaction", async () => {
    const query =
      'mutation { a: write(text: "a") { text } b: write(text: "b") { brokenSql } c: write(text: "c") { text } }';
    const { data, errors } = await ask(query);
    expect(data).toBeNull();
    expect(told(errors)).toEqual([
      [["b", "brokenSql"], "INTERNAL_SERVER_ERROR"],
      [["a"], "ROLLED_BACK"],
    ]);
    expect(await notes()).toEqual([]);
  });
});

describe("an error returned as data", () => {
  it.each([
    ["as the field itself", "refused", "... on Note { text } ... on Refusal { message }", ["b"]],
    ["when nothing of it is selected", "refused", "__typename", ["b"]],
    ["beside what succeeded", "partly", "notes { text } refusals { message }", ["b", "refusals"]],
  ])("undoes all: %s", async (_how, field, selection, path) => {
    const query = `mutation { a: write(text: "a") { text } b: ${field}(text: "b") { ${selection} } c: write(text: "c") { text } }`;
    const { data, errors } = await ask(query);
    expect(data).toBeNull();
    expect(told(errors)).toEqual([
      [path, "INVALID_STATE"],
      [["a"], "ROLLED_BACK"],
    ]);
    expect(await notes()).toEqual([]);
    expect(events).not.toContain("after_commit");
  });
});

describe("isolation", () => {
  it.each([
    ['write(text: "x") { level }', "read committed"],
    ['writeRepeatably(text: "x") { level }', "repeatable read"],
    ['writeStrictly(text: "x") { level }', "serializable"],
    [
      'write(text: "x") { level } b: writeRepeatably(text: "y") { level } c: writeStrictly(text: "z") { level }',
      "serializable",
    ],
    ['write(text: "x") { level } ... on Mutation { b: writeStrictly(text: "y") { level } }', "serializable"],
    ['write(text: "x") { level } ...Strict', "serializable"],
    ['write(text: "x") { level } ...Strict @skip(if: true)', "read committed"],
  ])("of %s is %s", async (selection, level) => {
    const strict = selection.includes("...Strict")
      ? 'fragment Strict on Mutation { d: writeStrictly(text: "w") { level } }'
      : "";
    const { data } = await ask(`mutation { a: ${selection} } ${strict}`);
    expect(new Set(Object.values(data as Record<string, { level: string }>).map((field) => field.level))).toEqual(
      new Set([level]),
    );
  });
});

describe("slow work", () => {
  it("is done before the transaction begins, for all fields, and not again by a retry", async () => {
    const { data } = await ask(
      'mutation { a: write(text: "a") { text } b: prepared(text: "b") { text } c: prepared(text: "c", fails: 2) { text } }',
    );
    expect(data).toEqual({ a: { text: "a" }, b: { text: "made b" }, c: { text: "made c" } });
    expect(events.filter((event) => event !== "statement")).toEqual([
      "prepare b",
      "prepare c",
      "begin",
      "begin",
      "begin",
      "before_commit",
      "after_commit",
    ]);
    expect(await notes()).toEqual(["a", "made b", "made c"]);
  });
});

describe("tries", () => {
  it("end when their time is over, however many might be made", async () => {
    const run = runnerOf({ maxAttempts: 1_000, maxRetryMs: 200 });
    // The longest pauses that may be: 20 ms, 40, 80 and what is left.
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => random.mockRestore());
    let tries = 0;
    const inVain = run({ name: "in vain" }, async () => {
      tries++;
      throw conflict();
    });
    await expect(inVain).rejects.toMatchObject({ name: "RetriesExhaustedError", cause: { code: "40001" } });
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThanOrEqual(5);
  });
});

describe("effects", () => {
  it("of a commit run once, each in spite of the other; those of undone tries as often as there were", async () => {
    const { data } = await ask("mutation { effects(fails: false) { text } }");
    expect(data).toEqual({ effects: { text: "effects" } });
    expect(events.filter((event) => event.includes(" "))).toEqual([
      "after abort of try 1",
      "after commit 1",
      "after commit 2",
    ]);
    expect(await notes()).toEqual(["effects"]);
  });

  it("of an abort run, and what was prepared is discarded", async () => {
    const { errors } = await ask("mutation { effects(fails: true) { text } }");
    expect(told(errors)).toEqual([[["effects"], "INVALID_STATE"]]);
    expect(events.filter((event) => event.includes(" "))).toEqual(["after abort of try 1", "discarded file"]);
    expect(await notes()).toEqual([]);
  });

  it("that have left the process already forbid another try", async () => {
    const { errors } = await ask('mutation { failUnrepeatably(text: "x") { text } }');
    expect(told(errors)).toEqual([[["failUnrepeatably"], "CONFLICT"]]);
    expect(events.filter((event) => event === "sent an e-mail")).toHaveLength(1);
    expect(await notes()).toEqual([]);
  });
});

describe("an answer in parts", () => {
  it.each([
    'mutation { write(text: "x") { ... @defer { text } } }',
    'mutation { partly(text: "x") { notes @stream { text } } }',
    'mutation { ...Late } fragment Late on Mutation { write(text: "x") { ... @defer(if: false) { text } } }',
  ])("is refused: %s", async (query) => {
    const { errors } = await ask(query);
    expect(errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
    expect(events).toEqual([]);
    expect(await notes()).toEqual([]);
  });
});

describe("a schema", () => {
  it("whose mutation field may be null is refused, since it could fail and undo nothing", () => {
    const schema = createSchema({ typeDefs: "type Query { a: Int } type Mutation { a: Int }" });
    const plugin = useMutations({} as never);
    expect(() => plugin.onSchemaChange?.({ schema } as never)).toThrow("Mutation.a must be non-null.");
  });
});
