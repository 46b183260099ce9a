/** The lists of faults agree with the code. `npm run faults` shows that the tests notice each of them. */
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFaults, testsFor, withFault } from "./fault.ts";

const root = join(import.meta.dirname, "../..");
const lists = await readFaults();
const faults = [...lists].flatMap(([list, its]) => its.map((fault) => ({ list, ...fault })));

describe("a fault", () => {
  const source = "if (isAdmin(viewer) || viewer.id === owner) {\n  return row;\n}";
  const fault = { name: "everybody is an admin", file: "src/a.ts" };

  it("replaces one text, whatever the white space between its words", () => {
    const replace = { "isAdmin(viewer)\n  || viewer.id === owner": "true", "return row;": "return $& row;" };
    expect(withFault(source, { ...fault, replace })).toBe("if (true) {\n  return $& row;\n}");
  });

  it("is refused when its text is not there, or in several places", () => {
    expect(() => withFault(source, { ...fault, replace: { "viewer.isAdmin": "true" } })).toThrow(/has 0 places/);
    expect(() => withFault(source, { ...fault, replace: { viewer: "nobody" } })).toThrow(/has 2 places/);
  });

  it("is noticed by the tests of its folder, unless it names others", () => {
    expect(testsFor({ ...fault, file: "src/users/tokens.ts", replace: {} })).toEqual(["test/users"]);
    expect(testsFor({ ...fault, file: "src/config.ts", replace: {} })).toEqual(["test/config.test.ts"]);
    expect(testsFor({ ...fault, replace: {}, tests: ["test/b.test.ts"] })).toEqual(["test/b.test.ts"]);
  });
});

describe("the lists", () => {
  it.each(faults)("have a place for a fault and tests that may notice it, in $list: $name", async (fault) => {
    const source = await readFile(join(root, fault.file), "utf8");
    expect(withFault(source, fault)).not.toBe(source);
    for (const tests of testsFor(fault)) expect(existsSync(join(root, tests)), tests).toBe(true);
  });

  it("are made for every folder of src", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => !lists.has(name))).toEqual([]);
  });

  it("name each fault once", () => {
    const names = faults.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
