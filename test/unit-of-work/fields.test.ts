/**
 * What a mutation field may declare and do, shown on a small schema of its own: preparation, errors below the root,
 * effects. The unit of work and the database are the real ones.
 */
import SchemaBuilder from "@pothos/core";
import { DirectiveLocation, GraphQLBoolean, GraphQLDirective, specifiedDirectives } from "graphql";
import { createYoga } from "graphql-yoga";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { sql } from "../../src/eager-loading/sql.ts";
import { ApplicationError } from "../../src/errors.ts";
import type { OperationContext } from "../../src/graphql/context.ts";
import "../../src/graphql/mutation-field-plugin.ts";
import { answerFor } from "../../src/operations/error-answers.ts";
import { useMutations } from "../../src/operations/mutation-plugin.ts";
import { unitOfWorkRunner } from "../../src/unit-of-work/runner.ts";
import type { Probe } from "../../src/unit-of-work/transaction-guard.ts";
import type { UnitOfWork } from "../../src/unit-of-work/unit-of-work.ts";
import { WriteDatabase } from "../../src/unit-of-work/write-database.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { silent } from "../support/logs.ts";

let database: TestDatabase;
let write: WriteDatabase;
/** What happened, in order. */
let events: string[] = [];

type Context = OperationContext & { uow: UnitOfWork };
const broken = (): never => {
  throw new ApplicationError("INVALID_STATE", "Broken.");
};
const conflict = () => Object.assign(new Error("in the way"), { code: "40001" });

async function note({ uow }: Context, text: string): Promise<Note> {
  await uow.write(sql`insert into notes (text) values (${text})`);
  return { text };
}

type Note = { text: string };

/** Options of plugins that this schema does without; their types are asked for all the same. */
const unused = {
  scopeAuth: { authScopes: () => ({}) },
  prisma: { client: () => broken(), dmmf: { datamodel: {} } },
};

const builder = new SchemaBuilder<{ Context: Context; DefaultFieldNullability: false }>({
  plugins: ["mutationFields"],
  defaultFieldNullability: false,
  ...unused,
});

const Note = builder.objectRef<Note>("Note").implement({
  fields: (t) => ({
    text: t.exposeString("text"),
    weak: t.string({ nullable: true, resolve: broken }),
    strong: t.string({ resolve: broken }),
    brokenSql: t.string({
      nullable: true,
      resolve: async (_note, _args, { uow }) => String(await uow.reader.read(sql`select 1 / 0`)),
    }),
  }),
});

builder.queryType({ fields: (t) => ({ nothing: t.int({ resolve: () => 0 }) }) });
builder.mutationType({
  fields: (t) => ({
    write: t.field({
      type: Note,
      args: { text: t.arg.string({ required: true }) },
      resolve: (_root, { text }, context) => note(context, text),
    }),
    list: t.field({
      type: [Note],
      args: { text: t.arg.string({ required: true }) },
      resolve: async (_root, { text }, context) => [await note(context, text)],
    }),
    prepared: t.field({
      type: Note,
      args: { text: t.arg.string({ required: true }), fails: t.arg.int({ required: true, defaultValue: 0 }) },
      prepare: ({ text }, { uow }) => uow.prepare(`make ${text}`, () => make(text)),
      resolve: async (_root, { text, fails }, context) => {
        const made = await context.uow.prepare(`make ${text}`, () => make(text));
        const written = await note(context, made);
        if (context.uow.attempt <= fails) throw conflict();
        return written;
      },
    }),
    effects: t.field({
      type: Note,
      args: { fails: t.arg.boolean({ required: true }) },
      resolve: async (_root, { fails }, context) => {
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
    }),
  }),
});

const condition = { if: { type: GraphQLBoolean } };
const directives = [
  ...specifiedDirectives,
  new GraphQLDirective({
    name: "defer",
    locations: [DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.INLINE_FRAGMENT],
    args: condition,
  }),
  new GraphQLDirective({ name: "stream", locations: [DirectiveLocation.FIELD], args: condition }),
];

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
    limits: { waitMs: 20_000, timeoutMs: 20_000, ...tries },
    logger: silent,
    probe,
  });

beforeAll(async () => {
  database = await freshDatabase();
  await database.query("create table notes (id serial primary key, text text not null)");
  const times = { waitMs: 20_000, lockTimeoutMs: 20_000, statementTimeoutMs: 20_000, transactionTimeoutMs: 20_000 };
  write = new WriteDatabase({ url: database.url, size: 3, ...times });
  const run = runnerOf({ maxAttempts: 4, maxRetryMs: 2_000 }, (point) => void events.push(point));
  const show = (error: unknown) => answerFor(error, "request", silent);
  const yoga = createYoga({
    schema: builder.toSchema({ directives }) as never,
    logging: false,
    maskedErrors: { maskError: show },
    plugins: [
      useMutations({
        run: run as never,
        contextFor(outer, uow) {
          const progress = { begun: [], hasFailed: () => uow.failure !== undefined };
          const mutation = { progress, services: {}, become: () => {} };
          return { ...outer, uow, mutation, loaders: { clear: () => {} } } as never;
        },
        retentionHours: 24,
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
    const run = runnerOf({ maxAttempts: 1_000, maxRetryMs: 2_000 });
    // The longest pauses that may be: 20 ms, 40, 80, 160, 320, 640 and what is left.
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => random.mockRestore());
    let tries = 0;
    const inVain = run({ name: "in vain" }, async () => {
      tries++;
      throw conflict();
    });
    await expect(inVain).rejects.toMatchObject({ name: "RetriesExhaustedError", cause: { code: "40001" } });
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThanOrEqual(8);
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
});

describe("when effects run", () => {
  const run = (...parameters: Parameters<ReturnType<typeof runnerOf>>) =>
    runnerOf({ maxAttempts: 1, maxRetryMs: 0 })(...parameters);
  const insert = sql`insert into notes (text) values ('effects')`;
  /** Transactions that the database has not ended, besides the one that asks. */
  const open = () =>
    database.query(
      `select 1 from pg_stat_activity
       where datname = current_database() and backend_xid is not null and pid <> pg_backend_pid()`,
    );

  it("after a commit, everybody sees what was committed", async () => {
    const seen: unknown[] = [];
    await run({ name: "commit" }, async (uow) => {
      await uow.write(insert);
      uow.afterCommit(async () => seen.push(await notes(), await open()));
      expect(await notes()).toEqual([]);
    });
    expect(seen).toEqual([["effects"], []]);
  });

  it.each(["an error of the work", "a failed statement", "a dry run"])(
    "after an abort by %s, nothing is there and no transaction open",
    async (reason) => {
      const seen: unknown[] = [];
      const aborted = run({ name: "abort", isDryRun: reason === "a dry run" }, async (uow) => {
        await uow.write(insert);
        uow.afterAbort(async () => seen.push(await notes(), await open()));
        expect(await open()).toHaveLength(1);
        if (reason === "an error of the work") throw new Error("On purpose.");
        if (reason === "a failed statement") await uow.write(sql`select 1 / 0`);
      });
      await Promise.allSettled([aborted]);
      expect(seen).toEqual([[], []]);
    },
  );
});

describe("an answer in parts", () => {
  it.each([
    'mutation { write(text: "x") { ... @defer { text } } }',
    'mutation { list(text: "x") @stream { text } }',
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
    const nullable = new SchemaBuilder<{ Context: Context }>({
      plugins: ["mutationFields"],
      ...unused,
    });
    nullable.queryType({ fields: (t) => ({ a: t.int({ resolve: () => 0 }) }) });
    nullable.mutationType({ fields: (t) => ({ a: t.int({ resolve: () => 0 }) }) });
    expect(() => nullable.toSchema()).toThrow("Mutation.a must be non-null: a nullable field could fail without");
  });
});
