import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

export type ProjectCopy = { folder: string; remove(): Promise<void> };

/** Copies parts of the project to a temporary folder, which shares the installed packages. */
export async function copyProject(
  paths: string[],
  filter: (file: string) => boolean = () => true,
): Promise<ProjectCopy> {
  const folder = await mkdtemp(join(tmpdir(), "lectern-copy-"));
  for (const path of paths) await cp(join(root, path), join(folder, path), { recursive: true, filter });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
