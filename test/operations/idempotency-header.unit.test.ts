import { type ExecutionResult, GraphQLError, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { executeOnce, keyOf, oneAtATime } from "../../src/operations/idempotency-header.ts";
import { StagedFile } from "../../src/storage/file-store.ts";
import { refusalOf } from "../support/refusals.ts";

type Request = {
  key?: string;
  query?: string;
  operationName?: string | null;
  variables?: Record<string, unknown>;
  isStranger?: boolean;
  answersAreSecret?: boolean;
};

function keyFor({ key = "k-1", query = "mutation { a }", operationName, variables, ...rest }: Request) {
  const request = new Request("http://lectern.test/graphql", { headers: key === "" ? {} : { "idempotency-key": key } });
  const viewer = rest.isStranger ? null : { id: "user-1" };
  return keyOf(
    { document: parse(query), operationName, variableValues: variables } as never,
    { request, viewer } as never,
    rest.answersAreSecret ?? false,
  );
}
const hashOf = (request: Request) => keyFor(request)?.requestHash;
const file = (changes: Partial<StagedFile> = {}) =>
  new StagedFile({ id: "1", name: "a.txt", sizeBytes: 1, sha256: "00", head: new Uint8Array(1), ...changes });

describe("an idempotency key", () => {
  it("belongs to its user, and to one request", () => {
    expect(keyFor({ key: "!~k" })).toEqual({
      userId: "user-1",
      key: "!~k",
      requestHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("is optional", () => {
    expect(keyFor({ key: "" })).toBeNull();
    expect(keyFor({ key: "", isStranger: true, answersAreSecret: true })).toBeNull();
  });

  it("is refused if it is too long or has other characters", () => {
    const refused = {
      code: "BAD_USER_INPUT",
      message: "An Idempotency-Key has 1 to 255 visible ASCII characters.",
      http: { status: 400 },
    };
    expect(keyFor({ key: "k".repeat(255) })?.key.length).toBe(255);
    for (const key of ["k".repeat(256), "a b", "é", "a é"]) {
      expect(refusalOf(() => keyFor({ key }))).toEqual(refused);
    }
  });

  it("is refused for a stranger, and for an operation whose response holds tokens", () => {
    const refused = (message: string) => ({ code: "BAD_USER_INPUT", message, http: { status: 400 } });
    expect(refusalOf(() => keyFor({ isStranger: true }))).toEqual(
      refused("An Idempotency-Key needs a user: sign in first."),
    );
    expect(refusalOf(() => keyFor({ answersAreSecret: true }))).toEqual(
      refused("A response with tokens is not stored: send this operation without an Idempotency-Key."),
    );
  });
});

describe("the hash of a request", () => {
  it("is the same for a repetition, however its text and its variables are written", () => {
    const request = { query: "mutation A { a }", variables: { a: 1, b: { c: [1, "x"], d: null } } };
    const repeated = { query: "mutation   A {\n a # the same\n}", variables: { b: { d: null, c: [1, "x"] }, a: 1 } };
    expect(hashOf(repeated)).toBe(hashOf(request));
    expect(hashOf({ operationName: null })).toBe(hashOf({}));
  });

  it("is another one for every other request", () => {
    const requests: Request[] = [
      {},
      { query: "mutation { b }" },
      { operationName: "A" },
      { variables: {} },
      { variables: { a: null } },
      { variables: { a: 1 } },
      { variables: { a: "1" } },
      { variables: { b: 1 } },
      { variables: { a: [] } },
      { variables: { a: {} } },
      { variables: { a: [1] } },
      { variables: { a: [1, 2] } },
      { variables: { a: [12] } },
      { variables: { a: [[1], 2] } },
      { variables: { a: [[1, 2]] } },
      { variables: { a: [[1], [2]] } },
      { variables: { a: { b: 1 }, c: 2 } },
      { variables: { a: { b: 1, c: 2 } } },
      { variables: { a: { b: { c: 2 } } } },
    ];
    expect(new Set(requests.map(hashOf)).size).toBe(requests.length);
  });

  it("depends on a file's name and contents, not on where it was received", () => {
    const hash = (changes?: Partial<StagedFile>) => hashOf({ variables: { file: file(changes) } });
    expect(hash({ id: "2" })).toBe(hash());
    const hashes = [hash(), hash({ name: "b.txt" }), hash({ sizeBytes: 2 }), hash({ sha256: "01" })];
    expect(new Set(hashes).size).toBe(4);
    expect(hash()).not.toBe(hashOf({ variables: { file: { ...file() } } }));
  });

  it("stays the same from one version of the program to the next, for keys that are stored", () => {
    const variables = { b: [1, { c: null }], a: "x", file: file() };
    expect(hashOf({})).toBe("7867f9d35488b803c5d914c249ed3336f335a4a271194e9bf20be24f18d7e450");
    expect(hashOf({ query: "mutation A { a }", operationName: "A", variables })).toBe(
      "d9212eaedbef51248d3b71e5898aba42d3e4f27b1f6d31ce9a1c4892fb8c8bef",
    );
  });
});

describe("operations with the same key", () => {
  const key = { userId: "user-1", key: "k-1", requestHash: "0" };

  it("run one after the other, also after one that failed", async () => {
    const log: string[] = [];
    const run = (name: string, at = key) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const outcome = oneAtATime(at, () => {
        log.push(name);
        return promise;
      }).catch((error) => `${error.message}`);
      return { outcome, resolve, reject };
    };
    const [first, second, third] = [run("first"), run("second"), run("third")];
    run("other key", { ...key, key: "k-2" }).resolve("");
    run("other user", { ...key, userId: "user-2" }).resolve("");
    await new Promise(setImmediate);
    expect(log).toEqual(["first", "other key", "other user"]);
    first.reject(new Error("failed"));
    expect(await first.outcome).toBe("failed");
    await new Promise(setImmediate);
    expect(log.slice(3)).toEqual(["second"]);
    second.resolve("done");
    third.resolve("done, too");
    expect([await second.outcome, await third.outcome]).toEqual(["done", "done, too"]);
    expect(log.slice(3)).toEqual(["second", "third"]);
    const later = run("later");
    later.resolve("at once");
    expect(await later.outcome).toBe("at once");
  });

  it("wait also for one that began after an earlier one had ended", async () => {
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    const run = (name: string) =>
      oneAtATime(key, async () => {
        log.push(name);
        await new Promise<void>((resolve) => gates.set(name, resolve));
      });
    const [first, second] = [run("first"), run("second")];
    await new Promise(setImmediate);
    gates.get("first")?.();
    await first;
    const third = run("third");
    await new Promise(setImmediate);
    expect(log).toEqual(["first", "second"]);
    gates.get("second")?.();
    await second;
    await new Promise(setImmediate);
    gates.get("third")?.();
    await third;
    expect(log).toEqual(["first", "second", "third"]);
  });
});

describe("an operation with a key", () => {
  const key = { userId: "user-1", key: "k-1", requestHash: "0" };
  const show = (error: unknown) => ({ message: `shown: ${(error as Error).message}`, locations: [] });

  /** Executes on a table that holds the stored response, or none. */
  async function executed(result: ExecutionResult, stored?: string, masked: typeof show = show) {
    const written: unknown[] = [];
    let [executions, withoutPreparations] = [0, 0];
    const uow = {
      write: async ({ text, values }: { text: string; values: unknown[] }) => {
        if (text.includes("insert")) return stored === undefined ? [{ reserved: 1 }] : [];
        written.push(JSON.parse(values[0] as string));
        return [];
      },
      reader: { read: async () => [{ requestHash: "0", answer: stored }] },
      doWithoutPreparations: () => withoutPreparations++,
    };
    const outcome = await executeOnce(uow as never, key, { retentionHours: 24, show: masked }, async () => {
      executions++;
      return result;
    });
    return { ...outcome, written, executions, withoutPreparations };
  }

  it("is executed, and its response is stored", async () => {
    expect(await executed({ data: { a: 1 } })).toEqual({
      result: { data: { a: 1 } },
      isReplay: false,
      written: [{ data: { a: 1 } }],
      executions: 1,
      withoutPreparations: 0,
    });
  });

  it("has its errors stored as clients see them", async () => {
    const result = { data: null, errors: [new GraphQLError("secret", { path: ["a"] })] };
    expect((await executed(result)).written).toEqual([{ data: null, errors: [{ message: "shown: secret" }] }]);
    const masked = () => ({ message: "No.", path: ["a"], extensions: { code: "CONFLICT" }, locations: [] });
    expect((await executed(result, undefined, masked)).written).toEqual([
      { data: null, errors: [{ message: "No.", path: ["a"], extensions: { code: "CONFLICT" } }] },
    ]);
  });

  it("is not executed again: its stored response is repeated, and nothing prepared is kept", async () => {
    const replay = { isReplay: true, written: [], executions: 0, withoutPreparations: 1 };
    expect(await executed({ data: {} }, JSON.stringify({ data: { a: 1 } }))).toEqual({
      result: { data: { a: 1 } },
      ...replay,
    });
    const error = { message: "No.", path: ["a"], extensions: { code: "CONFLICT" } };
    const { result } = await executed({ data: {} }, JSON.stringify({ data: null, errors: [error] }));
    expect(result.data).toBeNull();
    expect(result.errors?.map((one) => one.toJSON())).toEqual([error]);
  });
});
