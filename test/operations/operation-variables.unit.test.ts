import { buildSchema, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { variablesOf } from "../../src/operations/operation-variables.ts";
import { refusalOf } from "../support/refusals.ts";

const schema = buildSchema(/* GraphQL */ `
  enum Color { RED GREEN }
  scalar Day
  input Point { x: Int! y: Int = 5 color: Color }
  input Shape { name: String points: [Point!] rows: [[Int!]!] day: Day }
  type Query { a: Int }
`);
schema.getType("Day");
Object.assign(schema.getType("Day") as object, {
  parseValue: (value: unknown) => {
    if (typeof value !== "string") throw new Error("A Day is a text.");
    return `day ${value}`;
  },
});

const argsOf = (variables: string, variableValues?: Record<string, unknown>, operationName?: string) =>
  ({ schema, document: parse(`query One${variables} { a } query Two { a }`), operationName, variableValues }) as never;
const coerced = (variables: string, values?: Record<string, unknown>) =>
  refusalOf(() => ({ ...variablesOf(argsOf(variables, values, "One")) }));
const refused = (message: string, ...inputPath: string[]) => ({
  code: "BAD_USER_INPUT",
  message,
  inputPath,
  http: { spec: true, status: 400 },
});

describe("the variables of an operation", () => {
  it("are coerced to their types, with defaults", () => {
    expect(
      coerced("($shape: Shape, $n: Int = 3, $list: [Int])", {
        shape: { points: [{ x: 1 }, { x: 2, y: 3, color: "RED" }], day: "today" },
        list: 4,
        other: 1,
      }),
    ).toEqual({
      accepted: {
        shape: {
          points: [
            { x: 1, y: 5 },
            { x: 2, y: 3, color: "RED" },
          ],
          day: "day today",
        },
        n: 3,
        list: [4],
      },
    });
  });

  it("are absent without a value and a default, but null if null is given", () => {
    expect(coerced("($a: Int, $b: Int)", { b: null })).toEqual({ accepted: { b: null } });
    expect(coerced("($a: Int)")).toEqual({ accepted: {} });
    expect(coerced("")).toEqual({ accepted: {} });
  });

  it("are required if they are not nullable and have no default", () => {
    const required = refused('Variable "$a" is invalid: A value of type Int! is required.', "a");
    expect(coerced("($a: Int!)")).toEqual(required);
    expect(coerced("($a: Int!)", { b: 1 })).toEqual(required);
    expect(coerced("($a: Int! = 1)", {})).toEqual({ accepted: { a: 1 } });
  });

  it("are coerced once for each operation", () => {
    const args = argsOf("($shape: Shape)", { shape: {} }, "One");
    expect(variablesOf(args)).toBe(variablesOf(args));
  });

  it("may have the names of an object's own properties", () => {
    const variables = variablesOf(argsOf("($__proto__: Int, $constructor: Int)", { ["__proto__"]: 1 }, "One"));
    expect(Object.entries(variables)).toEqual([["__proto__", 1]]);
    expect(variables.constructor).toBeUndefined();
  });

  it("are none if the document has no such operation", () => {
    expect({ ...variablesOf(argsOf("($a: Int!)", {}, "Three")) }).toEqual({});
    expect({ ...variablesOf(argsOf("($a: Int!)", {}, "Two")) }).toEqual({});
  });

  it("of a type that is not for input are a mistake of the validation", () => {
    expect(() => coerced("($a: Query)")).toThrow(new Error("Validation let $a pass, whose type is not for input."));
  });
});

describe("the refusal of a variable", () => {
  const invalid = (shape: unknown) => coerced("($shape: Shape)", { shape });

  it("names the path to the invalid value, not the value, which may be secret", () => {
    expect(coerced("($a: Int)", { a: "secret" })).toEqual(
      refused('Variable "$a" is invalid: Expected a value of type Int.', "a"),
    );
    expect(invalid({ points: [{ x: 1 }, { x: "secret" }] })).toEqual(
      refused('Variable "$shape.points[1].x" is invalid: Expected a value of type Int.', "shape", "points", "1", "x"),
    );
    expect(invalid({ points: [{ x: 1, color: "SECRET" }] })).toEqual(
      refused(
        'Variable "$shape.points[0].color" is invalid: Expected a value of type Color.',
        "shape",
        "points",
        "0",
        "color",
      ),
    );
    expect(invalid({ rows: [[1], [2, "secret"]] })).toEqual(
      refused('Variable "$shape.rows[1][1]" is invalid: Expected a value of type Int.', "shape", "rows", "1", "1"),
    );
    expect(invalid({ name: ["secret"] })).toEqual(
      refused('Variable "$shape.name" is invalid: Expected a value of type String.', "shape", "name"),
    );
  });

  it("gives GraphQL's reason where that names only types and fields", () => {
    expect(invalid("secret")).toEqual(
      refused('Variable "$shape" is invalid: Expected type "Shape" to be an object.', "shape"),
    );
    expect(invalid({ points: [{}] })).toEqual(
      refused(
        'Variable "$shape.points[0]" is invalid: Field "x" of required type "Int!" was not provided.',
        "shape",
        "points",
        "0",
      ),
    );
    expect(invalid({ points: [{ x: null }] })).toEqual(
      refused(
        'Variable "$shape.points[0].x" is invalid: Expected non-nullable type "Int!" not to be null.',
        "shape",
        "points",
        "0",
        "x",
      ),
    );
    expect(invalid({ day: 1 })).toEqual(
      refused('Variable "$shape.day" is invalid: Expected type "Day". A Day is a text.', "shape", "day"),
    );
  });

  it("is truncated if it repeats a long name", () => {
    const { message } = invalid({ ["x".repeat(500)]: 1 }) as { message: string };
    const start = 'Variable "$shape" is invalid: ';
    expect(message.length).toBe(start.length + 301);
    expect(message).toMatch(/^Variable "\$shape" is invalid: Field "x+…$/);
  });

  it("suggests fields with similar names, unless the schema is to stay hidden", () => {
    const refusalFor = (hideSuggestions?: boolean) =>
      refusalOf(() =>
        variablesOf({
          ...(argsOf("($shape: Shape)", { shape: { nane: "x" } }, "One") as object),
          hideSuggestions,
        } as never),
      );
    const unknown = 'Variable "$shape" is invalid: Field "nane" is not defined by type "Shape".';
    expect(refusalFor()).toEqual(refused(`${unknown} Did you mean "name"?`, "shape"));
    expect(refusalFor(true)).toEqual(refused(unknown, "shape"));
  });

  it("is about the first invalid value only", () => {
    expect(coerced("($a: Int, $b: Int)", { a: "x", b: "y" })).toMatchObject({ inputPath: ["a"] });
  });
});
