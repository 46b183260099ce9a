import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Lectern } from "./lectern.ts";

/** Every file in the file store, staged or kept, by its path below the store's folder: to compare before with after. */
export async function filesOf({ config: { filesDir } }: Pick<Lectern, "config">): Promise<string[]> {
  const entries = await readdir(filesDir, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(filesDir, join(parentPath, name)))
    .sort();
}
