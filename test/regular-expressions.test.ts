/** The check of `npm run check` that no regular expression in src backtracks: what it notices, and what it lets pass. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../scripts/check-regular-expressions.ts";

const only = (code: string) => {
  const faults = faultsOf(code);
  expect(faults).toHaveLength(1);
  return faults[0];
};

describe("the check of regular expressions", () => {
  it("notices one that backtracks, where it stands, with an input that shows it", () => {
    expect(only("type A = { b: string };\n\nexport const c: RegExp = /(a+)+$/;\n")).toEqual({
      line: 3,
      expression: "/(a+)+$/",
      reason: expect.stringMatching(/^It takes exponential time for 'a'.*\.repeat\(\d+\).*: write a scanner\.$/),
    });
    const quadratic = "const shown = (message: string) => message.replace(/ Did you mean .*\\?$/, '');";
    expect(only(quadratic)?.reason).toMatch(/^It takes 2nd degree polynomial time for ' Did you mean '\.repeat/);
  });

  it.each([
    "export const found = (text: string): boolean => /\\s+$/.test(text);",
    "class A { static #b = { c: [/\\s+$/] }; }",
    "f(text.split(/\\s+$/));",
    "new RegExp(/\\s+$/);",
  ])("notices it wherever it may stand: %s", (code) => {
    expect(only(code)).toMatchObject({ line: 1, expression: "/\\s+$/" });
  });

  it.each(["/^#{1,6}[ \\t]+(\\S.*?)[ \\t]*#*$/m", "/<title(?:\\s[^>]*)?>/i", "/a(?=.*b)/g"])(
    "notices %s",
    (expression) => {
      expect(only(expression)?.reason).toMatch(/^It takes .* time for /);
    },
  );

  it.each([
    "new RegExp(pattern, 'g')",
    "RegExp(`^a`)",
    "new RegExp('a+')",
    "new RegExp(/a/, flags)",
    "new globalThis.RegExp(pattern)",
    "const Expression = RegExp",
    "make(RegExp)",
    "({ RegExp })",
    "class A extends RegExp {}",
  ])("refuses one that is composed at run time: %s", (code) => {
    expect(only(code)?.reason).toMatch(/^An expression that is composed at run time cannot be checked/);
  });

  it("refuses one for which recheck has no verdict", () => {
    expect(only("/(?i:a)b/")?.reason).toMatch(/^recheck has no verdict \(invalid: .*\): write a simpler expression/);
    expect(only("/[\\p{L}--[a-z]]/v")?.reason).toMatch(/^recheck has no verdict \(invalid: unknown flag\)/);
  });

  it("lets pass what is linear, whatever text looks like an expression, and what only asks for one", () => {
    const code = `
      const mail = /^[^\\s@]+@[^\\s@]+$/u;
      const id = /^[0-9a-f]{8}-[0-9a-f]{4}$/i.test(text);
      const words = text.split(/\\s+/).map((word) => word.replace(/[\\\\%_]/g, "\\\\$&"));
      const blank = /\\s+|<\\?xml[^>]*>/iy;
      const same = new RegExp(/a/);
      const isExpression = (value: unknown): value is RegExp => value instanceof RegExp;
      const text = "/(a+)+$/"; // /(a+)+$/
      const quotient = a / (a + b) / c;
      const property = { RegExp: 1 }.RegExp;
    `;
    expect(faultsOf(code)).toEqual([]);
  });
});
