/** Calls of a queue on a connection whose answers the test gives: which are repeated, and what they report. */
import { EventEmitter } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Claim, ImpossibleJobError, type Queue } from "../../src/processing/queue.ts";
import { sqlQueue } from "../../src/processing/sql-queue.ts";
import { silent as logger } from "../support/logs.ts";

/** The answers of the next calls, in order: a row, or an error. */
let answers: (Record<string, unknown> | Error)[];
/** A notice that comes before each answer. */
let notice: string | undefined;
let sent: unknown[][];
let released: unknown[];
let delays: number[];
let queue: Queue<string, string>;
const client = Object.assign(new EventEmitter(), {
  async query(text: string, values: unknown[]) {
    sent.push([text, ...values]);
    if (notice !== undefined) client.emit("notice", { message: notice });
    const answer = answers.shift() ?? expect.unreachable("No more calls are expected.");
    if (answer instanceof Error) throw answer;
    return { rows: [answer] };
  },
  release: (error?: Error) => released.push(error),
});
const { setTimeout: delay } = timers;

beforeEach(() => {
  [answers, notice, sent, released, delays] = [[], undefined, [], [], []];
  timers.setTimeout = (async (ms: number) => void delays.push(ms)) as never;
  syncBuiltinESMExports();
  queue = sqlQueue<string, string>(
    {
      table: "jobs",
      noun: "job",
      jobOf: (row) => String(row.text),
      completion: { placeholders: "$3::text", valuesOf: (result) => [result] },
    },
    { connect: async () => client } as unknown as pg.Pool,
    { url: "", maxAttempts: 5, logger },
  );
});
afterEach(() => {
  timers.setTimeout = delay;
  syncBuiltinESMExports();
  expect(client.listenerCount("notice")).toBe(0);
});

const claim: Claim<string> = { id: "id", token: "token", attempt: 1, job: "text" };
const lost = () => Object.assign(new Error("The connection was terminated."), { code: "57P01" });
const starting = () => Object.assign(new Error("The database is starting."), { code: "57P03" });
const withState = (code: string) => Object.assign(new Error('could not write to "base/1/2"'), { code });

describe("a call", () => {
  it("tells whether the claim stands, and names the holder if it does not", async () => {
    answers = [{ stands: true }, { stands: false }];
    notice = "another worker has it";
    expect(await queue.release(claim)).toEqual({ stands: true });
    expect(await queue.release(claim)).toEqual({ stands: false, holder: "another worker has it" });
    answers = [{ stands: false }];
    notice = undefined;
    expect(await queue.release(claim)).toEqual({ stands: false });
  });

  it("is repeated on another connection when its own is lost, or when the database is starting", async () => {
    const loss = lost();
    answers = [loss, starting(), { stands: true }];
    expect(await queue.extend(claim, 30_000)).toEqual({ stands: true });
    expect(sent).toEqual(
      Array(3).fill(["select extend_job_lease($1, $2, $3::interval, $4) as stands", "id", "token", "30 seconds", null]),
    );
    expect([released, delays]).toEqual([
      [loss, undefined, undefined],
      [200, 400],
    ]);
  });

  it("fails after five times", async () => {
    const losses = Array.from({ length: 6 }, lost);
    answers = [...losses];
    await expect(queue.release(claim)).rejects.toBe(losses[4]);
    expect([sent.length, delays]).toEqual([5, [200, 400, 800, 1_600]]);
  });

  it("fails at once with any other error, and keeps its connection", async () => {
    const refusal = withState("23514");
    answers = [refusal];
    await expect(queue.extend(claim, 30_000, 1.5)).rejects.toBe(refusal);
    expect([sent.length, released, delays]).toEqual([1, [undefined], []]);
  });
});

describe("a failed attempt", () => {
  it("is one of all attempts, or the last if every further one would fail", async () => {
    answers = [{ stands: true }, { stands: true }];
    await queue.fail(claim, "The disk is full.", false);
    await queue.fail(claim, "The file is damaged.", true);
    const text = "select fail_job($1, $2, $3, $4) as stands";
    expect(sent).toEqual([
      [text, "id", "token", "The disk is full.", 5],
      [text, "id", "token", "The file is damaged.", 1],
    ]);
  });
});

describe("a result", () => {
  it.each([
    ["53100", "The database's disk is full."],
    ["58030", "The database cannot use its disk."],
  ])("that the database's disk refuses with %s fails without the names of its files", async (code, message) => {
    const error = withState(code);
    answers = [error];
    await expect(queue.complete(claim, "result")).rejects.toMatchObject({ message, cause: error });
    expect(sent).toEqual([["select complete_job($1, $2, $3::text) as stands", "id", "token", "result"]]);
  });

  it("that a trigger refuses ends the job with its reason, since a retry cannot help", async () => {
    const message = JSON.stringify({ code: "SCHEDULE_OVERLAP", message: "The schedule would overlap another." });
    const error = Object.assign(new Error(message), { code: "LT004" });
    answers = [error];
    const refused = await queue.complete(claim, "result").catch((failure) => failure);
    expect(refused).toBeInstanceOf(ImpossibleJobError);
    expect(refused).toMatchObject({ message: "The schedule would overlap another.", cause: error });
  });

  it("that is invalid fails with the database's error", async () => {
    const error = withState("22P02");
    answers = [error];
    await expect(queue.complete(claim, "result")).rejects.toBe(error);
  });
});
