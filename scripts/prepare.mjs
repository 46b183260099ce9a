// Before `npm start`, `npm test` and the rest: installs what is missing and generates what is out of date, so that a
// bare clone just works. Runs on whatever Node there is; everything after it runs on the Node 24 that it installs.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

/** Does `work` unless it was done for the same contents of these files, and notes in `stamp` that it was. */
function once(stamp, files, work) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  const current = hash.digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === current) return;
  work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, current);
}

function run(command, args, environment = {}) {
  execFileSync(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    // What was installed here comes first, as `npm run` has it, also when this is run without npm.
    env: { ...process.env, PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter), ...environment },
    shell: process.platform === "win32",
  });
}

try {
  once("node_modules/.lectern-installed", ["package-lock.json"], () => {
    console.log("Installing packages (once) …");
    // Prisma's packages would fetch native engines, which we do not use: any file serves as one.
    run("npm", ["ci", "--loglevel=error"], { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath });
  });
  once(
    "src/database/generated/.stamp",
    ["prisma/schema.prisma", "prisma/tables-generator.ts", "package-lock.json"],
    () => {
      run("prisma", ["generate"], { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: "1" });
    },
  );
} catch (error) {
  console.error(`Preparing failed: ${error.message}`);
  process.exit(1);
}
