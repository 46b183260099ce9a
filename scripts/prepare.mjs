// Runs before all npm scripts: installs missing packages and generates outdated files, so that a new clone works. It
// runs on the installed version of Node; everything after it runs on the Node 24 that it installs.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

/** Runs `work`, unless `stamp` records that it was done for the same contents of the files. */
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
    // The programs that are installed here come first, as `npm run` has it, also when this is run without npm.
    env: { ...process.env, PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter), ...environment },
    shell: process.platform === "win32",
  });
}

try {
  once("node_modules/.lectern-installed", ["package-lock.json"], () => {
    console.log("Installing packages (once) …");
    // Prevents Prisma's packages from downloading native engines, which are not used: any file will do.
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
  console.error(`Preparation failed: ${error.message}`);
  process.exit(1);
}
