import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApplicationError } from "../../src/errors.ts";
import { requireSmall, requireSparseJson, useRequestLimits } from "../../src/operations/request-limits.ts";
import { StagedFile } from "../../src/storage/file-store.ts";
import { refusalOf } from "../support/refusals.ts";

const limits = { maxQueryCharacters: 5_000, maxVariableValues: 10 };
const refused = (message: string) => ({ code: "BAD_USER_INPUT", message, http: { status: 400 } });
const accepted = { accepted: undefined };

describe("the parts of a request", () => {
  const check = (parts: object | null) => refusalOf(() => requireSmall(parts, limits));

  it("may be missing, or of a kind that is refused later", () => {
    for (const parts of [null, {}, { query: 1, operationName: 1, variables: "x", extensions: null }]) {
      expect(check(parts)).toEqual(accepted);
    }
  });

  it("are limited: the characters of the query", () => {
    expect(check({ query: "x".repeat(5_000) })).toEqual(accepted);
    expect(check({ query: "x".repeat(5_001) })).toEqual(
      refused("A query has at most 5000 characters. Send long texts in variables."),
    );
  });

  it("are limited: the lines of the query, with every line terminator of GraphQL", () => {
    const tooMany = refused("A query has at most 2000 lines. Send long texts in variables.");
    for (const terminator of ["\n", "\r"]) {
      expect(check({ query: terminator.repeat(1_999) })).toEqual(accepted);
      expect(check({ query: terminator.repeat(2_000) })).toEqual(tooMany);
      expect(check({ query: `{${terminator.repeat(2_000)}}` })).toEqual(tooMany);
    }
    expect(check({ query: "\r\n".repeat(1_000) })).toEqual(tooMany);
  });

  it("are limited: the name of the operation", () => {
    expect(check({ operationName: "x".repeat(200) })).toEqual(accepted);
    expect(check({ operationName: "x".repeat(201) })).toEqual(
      refused("The name of an operation has at most 200 characters."),
    );
  });

  it("are limited: the values of the variables and of the extensions, each by themselves", () => {
    const ten = [1, { a: 1, b: [1, 2, 3] }, [1], 2];
    for (const part of ["variables", "extensions"]) {
      expect(check({ [part]: ten })).toEqual(accepted);
      expect(check({ [part]: [...ten, 3] })).toEqual(refused(`The ${part} hold at most 10 values.`));
      expect(check({ [part]: { list: Array(10).fill(0) } })).toEqual(refused(`The ${part} hold at most 10 values.`));
    }
    expect(check({ variables: ten, extensions: ten })).toEqual(accepted);
  });

  it("are limited: the depth of the variables and of the extensions", () => {
    const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
    const wide = { ...limits, maxVariableValues: 1_000_000 };
    expect(refusalOf(() => requireSmall({ variables: nested(20), extensions: nested(20) }, wide))).toEqual(accepted);
    expect(refusalOf(() => requireSmall({ variables: nested(21) }, wide))).toEqual(
      refused("The variables are nested 20 levels deep at most."),
    );
    expect(refusalOf(() => requireSmall({ extensions: nested(100_000) }, wide))).toEqual(
      refused("The extensions are nested 20 levels deep at most."),
    );
  });

  it("count a file as one value, whatever it holds", () => {
    const file = new StagedFile({ id: "1", name: "a", sizeBytes: 1, sha256: "0", head: new Uint8Array(100) });
    expect(check({ variables: { files: Array(9).fill(file) } })).toEqual(accepted);
  });
});

describe("the JSON of a request", () => {
  /** Two parts of values each, and a hundred others. */
  const most = 2 * limits.maxVariableValues + 100;
  const check = (text: string) => refusalOf(() => requireSparseJson(text, limits.maxVariableValues));
  const tooMany = refused(`A request holds at most ${most} values.`);

  it("is refused before it is parsed if it holds too many values", () => {
    for (const value of ["[", "{", ","]) {
      expect(check(value.repeat(most))).toEqual(accepted);
      expect(check(value.repeat(most + 1))).toEqual(tooMany);
    }
  });

  it("may have any text in its strings", () => {
    const text = fc.string({ unit: fc.constantFrom("[", "{", ",", '"', "\\", "a"), maxLength: 300 });
    fc.assert(
      fc.property(text, fc.nat({ max: 2 }), (text, rest) => {
        // The list and its commas count, its strings do not.
        const json = JSON.stringify([text, ...Array(most - 1).fill(text.slice(0, 5))]);
        expect(check(json)).toEqual(accepted);
        expect(check(`${json}${"[".repeat(rest)}`)).toEqual(rest > 0 ? tooMany : accepted);
      }),
    );
  });

  it("is left to the parser if a string does not end", () => {
    expect(check(`"${"[".repeat(most + 1)}`)).toEqual(accepted);
    expect(check(`"${"[".repeat(most + 1)}\\"`)).toEqual(accepted);
    expect(check(`"\\\\"${"[".repeat(most + 1)}`)).toEqual(tooMany);
  });
});

type RequestParser = (request: Request) => Promise<object>;

describe("the plugin of the limits", () => {
  const url = "http://lectern.test/graphql";

  /** The result of a parser that reads the JSON of a request, under the limits. */
  async function parsed(
    request: Request,
    parser: RequestParser = async (whole) => ({ variables: await whole.json() }),
  ) {
    let limited: RequestParser | undefined = parser;
    const plugin = useRequestLimits(limits);
    const setRequestParser = (replacement: RequestParser) => {
      limited = replacement;
    };
    await plugin.onRequestParse?.({ request, requestParser: parser, setRequestParser } as never);
    return limited(request);
  }
  const post = (body: string, type = "application/json") =>
    new Request(url, { method: "POST", body, headers: { "content-type": type } });

  it("passes the JSON of a request on, under every type of JSON", async () => {
    for (const type of ["application/json", "application/graphql+json; charset=utf-8"]) {
      expect(await parsed(post('{"a":[1,2]}', type))).toEqual({ variables: { a: [1, 2] } });
    }
  });

  it("refuses a body of too many values before it is parsed", async () => {
    await expect(parsed(post("[".repeat(1_000)))).rejects.toEqual(
      new ApplicationError("BAD_USER_INPUT", "A request holds at most 120 values.", { http: { status: 400 } }),
    );
  });

  it("leaves other bodies to their own parsers", async () => {
    const parser: RequestParser = async (whole) => ({ query: await whole.text() });
    const body = "[".repeat(1_000);
    expect(await parsed(post(body, "application/graphql"), parser)).toEqual({ query: body });
    expect(await parsed(new Request(url), async () => ({ query: "{ a }" }))).toEqual({ query: "{ a }" });
  });

  it("says what is not JSON, and passes other errors on", async () => {
    const notJson = new ApplicationError("BAD_USER_INPUT", "The variables or the extensions are not JSON.", {
      http: { status: 400 },
    });
    await expect(parsed(post("{"))).rejects.toEqual(notJson);
    await expect(parsed(post("{"))).rejects.toMatchObject({ details: { http: { status: 400 } } });
    const failed = new TypeError("The body was used.");
    await expect(parsed(post("{}"), () => Promise.reject(failed))).rejects.toBe(failed);
  });

  it("does nothing for a request that has no parser", async () => {
    const plugin = useRequestLimits(limits);
    const setRequestParser = () => expect.unreachable();
    await plugin.onRequestParse?.({ request: new Request(url), setRequestParser } as never);
  });

  it("checks the parts of each operation", () => {
    const plugin = useRequestLimits(limits);
    const check = (params: unknown) => refusalOf(() => plugin.onParams?.({ params } as never));
    expect(check({ query: "{ a }", variables: { a: 1 } })).toEqual(accepted);
    expect(check({ variables: Array(11).fill(0) })).toEqual(refused("The variables hold at most 10 values."));
    expect(check(null)).toEqual(accepted);
  });
});
