/** Which files an operation may bring, by its text alone. */
import { describe, expect, it } from "vitest";
import type { Role } from "../../src/database/generated/prisma/enums.ts";
import { ApplicationError } from "../../src/errors.ts";
import { fileLimitsOf, largestFor, refusal, type UploadRules } from "../../src/uploads/upload-rules.ts";

const rules: UploadRules = new Map([
  ["keep", { maxBytes: 10, role: "VIEWER" }],
  ["publish", { maxBytes: 20, role: "EDITOR" }],
]);
const limits = { maxTokens: 60, maxQueryCharacters: 300, maxVariableValues: 5 };
const viewerOf = (role: Role) => ({ id: "ada", role, sessionId: "s" });

function limitOf(query: unknown, variable = "a", role: Role = "EDITOR", more: object = {}) {
  try {
    return fileLimitsOf({ query, ...more }, { rules, viewer: viewerOf(role), limits })(variable);
  } catch (error) {
    if (!(error instanceof ApplicationError)) throw error;
    return [error.code, error.message, error.details.http];
  }
}
const invalid = (message: string) => ["BAD_USER_INPUT", message, { status: 400 }];

describe("the limit of a file", () => {
  it("is that of the field whose arguments hold its variable, on any level", () => {
    const query = "mutation($a: File!, $b: [File!]) { x: keep(file: $a) y: publish(input: { files: [{ file: $b }] }) }";
    expect(limitOf(query, "a")).toBe(10);
    expect(limitOf(query, "b")).toBe(20);
  });

  it("is the largest of the operation's fields if it is held by several or by none", () => {
    const query = "mutation($a: File!) { keep(file: $a) publish(file: $a) }";
    expect(limitOf(query, "a")).toBe(20);
    expect(limitOf(query, "other")).toBe(20);
    expect(limitOf("mutation($a: File!) { keep(file: $a) }", "other")).toBe(10);
    expect(limitOf("mutation($a: File!) { keep(file: $b) publish }", "constructor")).toBe(20);
  });

  it("is found through fragments, also circular ones, and by the operation's name", () => {
    const fragments =
      "fragment F on Mutation { ...G ... on Mutation { keep(file: $a) } } fragment G on Mutation { ...F }";
    expect(limitOf(`mutation($a: File!) { ...F ...Missing } ${fragments}`)).toBe(10);
    const two = "mutation A { keep(file: $a) } mutation B { publish(file: $a) }";
    expect(limitOf(two, "a", "EDITOR", { operationName: "B" })).toBe(20);
    expect(limitOf(two, "a", "VIEWER", { operationName: "A" })).toBe(10);
    expect(limitOf(two)).toEqual(invalid("Name one of the query's operations in operationName."));
    expect(limitOf(two, "a", "EDITOR", { operationName: "C" })).toEqual(limitOf(two));
  });
});

describe("files are refused", () => {
  const forbidden = (name: string) => ["FORBIDDEN", `Your role does not allow ${name}: it needs the role EDITOR.`];

  it("if the viewer's role is too low for one of the fields, conditions or not", () => {
    for (const field of ["publish", "x: publish", "publish @skip(if: true)", "... { ... { publish } }"]) {
      const found = limitOf(`mutation { keep ${field} }`, "a", "VIEWER");
      expect(found).toEqual([...forbidden("publish"), { status: 403 }]);
      expect(limitOf(`mutation { keep ${field} }`, "a", "ADMIN")).toBe(20);
    }
  });

  it("if no field takes any", () => {
    const none = invalid("No field of this operation takes a file. Fields that do: keep, publish.");
    for (const query of ["mutation { other { keep } }", "mutation { constructor }", "mutation { keep: other }"]) {
      expect(limitOf(query)).toEqual(none);
    }
    for (const query of ["{ keep }", "subscription { keep }"]) expect(limitOf(query)).toEqual(none);
  });

  it("if there is no query, or a query that is invalid or too long", () => {
    expect(limitOf(undefined)).toEqual(invalid("The field operations has no query."));
    expect(limitOf("mutation {")).toEqual(invalid("Syntax Error: Expected Name, found <EOF>."));
    const tokens = "Syntax Error: Document contains more that 60 tokens. Parsing aborted.";
    expect(limitOf(`mutation { ${"a ".repeat(60)} }`)).toEqual(invalid(tokens));
    expect(limitOf(`mutation { keep } #${"a".repeat(300)}`)).toMatchObject([
      "BAD_USER_INPUT",
      expect.stringContaining("300 characters"),
      {},
    ]);
    expect(limitOf("mutation { keep }", "a", "EDITOR", { variables: [1, 2, 3, 4, 5, 6] })).toMatchObject([
      "BAD_USER_INPUT",
      expect.stringContaining("5 values"),
      {},
    ]);
  });
});

it("the largest file of a viewer is that of the fields that the role allows", () => {
  expect([largestFor(rules, viewerOf("VIEWER")), largestFor(rules, viewerOf("ADMIN"))]).toEqual([10, 20]);
  expect([largestFor(rules, null), largestFor(new Map(), viewerOf("ADMIN"))]).toEqual([0, 0]);
});

describe("a refusal of a request", () => {
  it("has an HTTP status, and the path of a field if there is one", () => {
    const { code, message, details } = refusal("UNAUTHENTICATED", 401, "Sign in.", ["file"]);
    expect({ code, message, details }).toEqual({
      code: "UNAUTHENTICATED",
      message: "Sign in.",
      details: { inputPath: ["file"], http: { status: 401 } },
    });
    expect(refusal("UNAUTHENTICATED", 401, "Sign in.").details).toStrictEqual({ http: { status: 401 } });
  });
});
