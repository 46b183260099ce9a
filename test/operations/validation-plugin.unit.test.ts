/** The number of selections of a document, as validation and execution meet them. */
import { parse } from "graphql";
import { describe, expect, it } from "vitest";
import { countSelections } from "../../src/operations/validation-plugin.ts";

describe("the number of selections", () => {
  it.each<[string, string, number]>([
    ["counts every field on every level", "{ a b { c d { e } } }", 5],
    ["counts the operations of a document together", "query A { a } query B { b c }", 3],
    ["counts an inline fragment with its fields", "{ ... { a b } ... @skip(if: true) { c } }", 5],
    ["counts a fragment once in one set of selections", "{ ...F ...F ... { ...F } } fragment F on Query { a b }", 6],
    [
      "counts a fragment each time below different fields",
      "{ a { ...F } b { ...F } } fragment F on A { c d { e } }",
      10,
    ],
    ["counts a fragment each time on different levels", "{ ...F a { ...F } } fragment F on A { b { c } }", 7],
    [
      "doubles where two fields each spread the next fragment",
      "{ ...A } fragment A on A { x { ...B } y { ...B } } fragment B on A { x { ...C } y { ...C } } fragment C on A { c }",
      17,
    ],
    [
      "counts the largest fragment that nothing spreads",
      "{ a } fragment F on A { b c { d } } fragment G on A { e }",
      3,
    ],
    ["counts introspection fifteenfold", "{ __schema { types { name } } __type(name: 1) { name } a }", 3 + 2 * 15 + 15],
    ["ends at a cycle of fragments", "{ ...A } fragment A on A { a { ...B } } fragment B on A { b { ...A } }", 6],
  ])("%s", (_case, document, count) => {
    expect(countSelections(parse(document))).toBe(count);
  });
});
