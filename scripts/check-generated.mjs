// Fails if a committed generated file is out of date.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const generated = ["schema.graphql", "test/support/client/generated"];

function read(path) {
  try {
    return readdirSync(path)
      .sort()
      .map((name) => `${name}\n${readFileSync(join(path, name), "utf8")}`)
      .join("\n");
  } catch (error) {
    if (error.code === "ENOTDIR") return readFileSync(path, "utf8");
    throw error;
  }
}

const kept = mkdtempSync(join(tmpdir(), "lectern-generated-"));
const stale = [];
try {
  for (const path of generated) cpSync(path, join(kept, path), { recursive: true });
  execFileSync("npm", ["run", "--silent", "codegen"], { stdio: ["ignore", "ignore", "inherit"] });
  for (const path of generated) {
    if (read(path) !== read(join(kept, path))) stale.push(path);
    rmSync(path, { recursive: true });
    cpSync(join(kept, path), path, { recursive: true });
  }
} finally {
  rmSync(kept, { recursive: true, force: true });
}
if (stale.length > 0) {
  console.error(`Out of date: ${stale.join(", ")}. Run \`npm run codegen\` and commit the changes.`);
  process.exit(1);
}
