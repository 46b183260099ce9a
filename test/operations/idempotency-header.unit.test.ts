/** Keys of operations and the order of those with the same key, without a database. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type ExecutionArgs, parse } from "graphql";
import { describe, expect, it } from "vitest";
import type { OperationContext } from "../../src/graphql/context.ts";
import { keyOf, oneAtATime } from "../../src/operations/idempotency-header.ts";
import { StagedFile } from "../../src/storage/file-store.ts";

const viewer = { id: "ada" } as OperationContext["viewer"];
const document = parse("mutation A { a } mutation B { a }");

function keyFor(key: string, variableValues: object = {}, answersAreSecret = false) {
  const request = new Request("http://lectern.test", { headers: { "idempotency-key": key } });
  const args = { document, operationName: "A", variableValues } as unknown as ExecutionArgs;
  return keyOf(args, { request, viewer } as OperationContext, answersAreSecret);
}
const hashOf = (variables: object) => keyFor("key", variables)?.requestHash;

describe("an Idempotency-Key", () => {
  it("has 1 to 255 visible characters", () => {
    for (const key of ["x", "!~", "x".repeat(255)]) expect(keyFor(key)).toMatchObject({ userId: "ada", key });
    for (const key of ["", "a b", "é", "x".repeat(256)]) {
      expect(() => keyFor(key)).toThrow("An Idempotency-Key has 1 to 255 visible ASCII characters.");
    }
  });

  it("is not for a response with secrets", () => {
    expect(() => keyFor("key", {}, true)).toThrow("A response with tokens is not stored");
  });
});

describe("the hash of a request", () => {
  const file = { id: "1", name: "a.txt", sizeBytes: 3, sha256: "aa", head: new Uint8Array() };

  it("is the same whatever the order of fields, and wherever a file is staged", () => {
    expect(hashOf({ a: 1, b: { c: [1, "2"], d: null } })).toBe(hashOf({ b: { d: null, c: [1, "2"] }, a: 1 }));
    expect(hashOf({ file: new StagedFile(file) })).toBe(hashOf({ file: new StagedFile({ ...file, id: "2" }) }));
  });

  it("is another one for each other value, order of a list, or file", () => {
    const others = [
      {},
      { a: null },
      { a: 1 },
      { a: "1" },
      { a: [1, 2] },
      { a: [2, 1] },
      { a: [[1], 2] },
      { a: [1, [2]] },
      { a: [12] },
      { a: { b: 1 } },
      { a: new StagedFile(file) },
      { a: new StagedFile({ ...file, name: "b.txt" }) },
      { a: new StagedFile({ ...file, sizeBytes: 4 }) },
      { a: new StagedFile({ ...file, sha256: "bb" }) },
    ];
    expect(new Set(others.map(hashOf)).size).toBe(others.length);
  });
});

describe("operations with one key", () => {
  /** Starts operations that end when the test says so; `events` tells when each begins. */
  function sequence(userId: string) {
    const events: string[] = [];
    return {
      events,
      begin(name: string) {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        const result = oneAtATime({ userId, key: "key", requestHash: name }, () => {
          events.push(name);
          return promise;
        });
        return { result, succeed: () => resolve(name), fail: () => reject(new Error(name)) };
      },
    };
  }

  it("run one after the other, also those that come when the first has ended", async () => {
    const { events, begin } = sequence("one");
    const [first, second] = [begin("first"), begin("second")];
    await nextTurn();
    expect(events).toEqual(["first"]);
    first.succeed();
    expect(await first.result).toBe("first");
    const third = begin("third");
    await nextTurn();
    expect(events).toEqual(["first", "second"]);
    second.succeed();
    await second.result;
    third.succeed();
    expect(await third.result).toBe("third");
    expect(events).toEqual(["first", "second", "third"]);
  });

  it("run by themselves when the one before them failed", async () => {
    const { events, begin } = sequence("two");
    const [first, second] = [begin("first"), begin("second")];
    first.fail();
    second.succeed();
    await expect(first.result).rejects.toThrow("first");
    expect(await second.result).toBe("second");
    expect(events).toEqual(["first", "second"]);
  });
});
