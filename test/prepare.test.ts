/** The preparation of `npm start` and the rest, run by hand, in a folder where the packages are stand-ins. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { makeFolder } from "./support/command.ts";

const root = join(import.meta.dirname, "..");

it.skipIf(process.platform === "win32")("finds what is installed without npm, and does nothing twice", async () => {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  const path = (name: string) => join(folder.path, "a folder of 100%", name);
  const bin = (name: string) => path(`node_modules/.bin/${name}`);
  for (const name of [
    "scripts/prepare.mjs",
    "package-lock.json",
    "prisma/schema.prisma",
    "prisma/tables-generator.ts",
  ]) {
    await cp(join(root, name), path(name));
  }
  await mkdir(dirname(bin("prisma")), { recursive: true });
  // All packages are there already.
  const lock = await readFile(path("package-lock.json"));
  await writeFile(path("node_modules/.lectern-installed"), createHash("sha256").update(lock).digest("hex"));
  await symlink(process.execPath, bin("node"));
  await writeFile(bin("prisma"), '#!/bin/sh\necho "prisma $@, by $(command -v node)" >> ran\n');
  await chmod(bin("prisma"), 0o755);

  const prepare = () =>
    spawnSync(process.execPath, [path("scripts/prepare.mjs")], {
      cwd: folder.path,
      // Not even Node is in it.
      env: { PATH: "/bin:/usr/bin" },
      encoding: "utf8",
    });
  expect(prepare()).toMatchObject({ status: 0, stdout: "", stderr: "" });
  expect(await readFile(path("ran"), "utf8")).toBe(`prisma generate, by ${bin("node")}\n`);
  expect(prepare()).toMatchObject({ status: 0, stdout: "", stderr: "" });
  await writeFile(path("prisma/schema.prisma"), "// Another one.");
  expect(prepare()).toMatchObject({ status: 0, stdout: "", stderr: "" });
  expect((await readFile(path("ran"), "utf8")).split("\n")).toHaveLength(2 + 1);
});
