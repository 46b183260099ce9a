/** docs/adding-a-slice.md: its code blocks, written to the files that they name in a copy of the project, work there. */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { copyProject } from "./support/project-copy.ts";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);

let copy: string;
let removeCopy: () => Promise<void>;

beforeAll(async () => {
  const paths = [
    "src",
    "prisma",
    "scripts",
    "test/support",
    "test/faults/fault.ts",
    "package.json",
    "tsconfig.json",
    "vitest.config.ts",
  ];
  const project = await copyProject(paths, (file) => !file.endsWith(".test.ts"));
  copy = project.folder;
  removeCopy = project.remove;
  for (const [path, code] of await blocksOf("docs/adding-a-slice.md")) await place(path, code);
});
afterAll(() => removeCopy());

/** Each code block with the words in which the line before it says where it belongs. */
async function blocksOf(guide: string): Promise<[where: string, code: string][]> {
  const text = await readFile(join(root, guide), "utf8");
  return [...text.matchAll(/^([^\n]*):\n\n```\w+\n(.*?)^```$/gms)].map(([, where = "", code = ""]) => [where, code]);
}

async function place(where: string, code: string): Promise<void> {
  const path = /`((?:src|prisma|test)\/[\w./-]+)`/.exec(where)?.[1] as string;
  const file = join(copy, path);
  if (where.includes("in `model User`")) {
    const schema = await readFile(file, "utf8");
    await writeFile(file, schema.replace(/^model User \{\n/m, `$&${code}`));
  } else if (where.includes("at the end")) {
    await writeFile(file, `${await readFile(file, "utf8")}\n${code}`);
  } else if (where.startsWith("The line in")) {
    const list = await readFile(file, "utf8");
    const line = /^export const slices[^;]*;$/m;
    await writeFile(file, `import { postSlice } from "./posts/post.slice.ts";\n${list.replace(line, code.trim())}`);
  } else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, code);
  }
}

const command = async (name: string, ...parameters: string[]) => {
  const binary = join(root, "node_modules/.bin", name);
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, DATABASE_URL: inject("serverUrl") };
  try {
    return await run(binary, parameters, { cwd: copy, env });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${name} failed:\n${stdout}${stderr}`, { cause: error });
  }
};

it("has complete files, which compile", { timeout: 300_000 }, async () => {
  const blocks = await blocksOf("docs/adding-a-slice.md");
  expect(blocks.filter(([where]) => /`src\/posts\/|`test\/(posts|faults)\//.test(where))).toHaveLength(9);
  await command("prisma", "generate");
  await command("tsc");
});

it("has tests that pass, and a migration that agrees with the models", { timeout: 300_000 }, async () => {
  const migrations = "test/postgres/migrations.test.ts";
  await cp(join(root, migrations), join(copy, migrations));
  const { stdout } = await command("vitest", "run", "test/posts", migrations, "--project", "all");
  expect(stdout).toMatch(/\b(\d+) passed, 0 failed, 0 skipped/);
});

it.skipIf(!process.env.LECTERN_LONG)("has faults, which its tests notice", { timeout: 600_000 }, async () => {
  const { stdout } = await command("node", "scripts/faults.ts", "posts");
  expect(stdout).toMatch(/^7 of 7 faults noticed/m);
});
