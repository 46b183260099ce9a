/**
 * Faults that a later developer might make. Each is a change of the code that compiles and that a test must notice.
 * `npm run faults` makes them, one at a time, in a copy of the project.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface Fault {
  /** The fault in a few words, lower case. */
  name: string;
  /** The file it is made in, from the project's folder. */
  file: string;
  /** Text that the file holds exactly once, whatever its white space, and the text that takes its place. */
  replace: Record<string, string>;
  /** Test files that notice it; without this, those that mirror the file's folder. */
  tests?: string[];
}

/** All faults, by the name of their list: `users` for `users.faults.ts`. */
export async function readFaults(): Promise<Map<string, Fault[]>> {
  const suffix = ".faults.ts";
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith(suffix)).sort();
  const lists = files.map(async (file): Promise<[string, Fault[]]> => {
    const { faults } = (await import(join(import.meta.dirname, file))) as { faults: Fault[] };
    return [file.slice(0, -suffix.length), faults];
  });
  return new Map(await Promise.all(lists));
}

/** The source with the fault in it. Throws when the source has changed so that the fault has lost its place. */
export function withFault(source: string, { name, file, replace }: Fault): string {
  let faulty = source;
  for (const [before, after] of Object.entries(replace)) {
    const pattern = new RegExp(before.trim().split(/\s+/).map(RegExp.escape).join("\\s+"), "g");
    const places = [...faulty.matchAll(pattern)].length;
    if (places !== 1) throw new Error(`${file} has ${places} places for "${name}", not 1:\n${before}`);
    faulty = faulty.replace(pattern, () => after.trim());
  }
  return faulty;
}

/** The test files that must notice a fault, or the folder of those that mirror the file: `test/users` for `src/users`. */
export function testsFor({ file, tests }: Fault): string[] {
  if (tests) return tests;
  const [, room = ""] = /^src\/([^/]+)/.exec(file) ?? [];
  return [`test/${room.replace(/\.ts$/, ".test.ts")}`];
}
