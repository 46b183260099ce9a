/** What the engine's README claims of itself. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { statementTable } from "../../scripts/statements.ts";
import { loadSampleLibrary } from "../../src/sample-library.ts";
import { startLectern } from "../support/lectern.ts";

const folder = join(import.meta.dirname, "../../src/eager-loading");

it("has the table that its script prints", async () => {
  const lectern = await startLectern({ worker: true });
  try {
    await loadSampleLibrary(lectern.application);
    await lectern.settled();
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    expect(readme).toContain(await statementTable(lectern.application));
  } finally {
    await lectern.stop();
  }
});

it("depends on three packages and Node, so that the folder can be lifted out", () => {
  const imported = new Set<string>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".ts"))) {
    const source = readFileSync(join(folder, name), "utf8");
    for (const [, from] of source.matchAll(/from "([^"]+)"/g))
      if (from && !/^\.\/[\w-]+\.ts$/.test(from)) imported.add(from);
  }
  expect([...imported].sort()).toEqual(["dataloader", "graphql", "node:crypto", "sql-template-tag"]);
});
