/**
 * Makes each fault of test/faults in a copy of the project, one at a time, and runs the tests that must notice it.
 *
 * `npm run faults` takes all of them; `npm run faults -- users` those of one list, or whose name contains the words. A
 * fault is noticed when it compiles and a test fails by itself: a file that no longer loads shows nothing. Ends with
 * the share that was noticed, and with status 1 if that is not all of them.
 */
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Fault } from "../test/faults/fault.ts";
import { readFaults, testsFor, withFault } from "../test/faults/fault.ts";
import { copyProject, type ProjectCopy } from "../test/support/project-copy.ts";

/** `broken`: no test ran, or a file could not be loaded, which shows nothing about a test. */
type Result = { verdict: "noticed" | "passed" | "broken"; detail: string };

/** The parts of a report of vitest's JSON reporter that are read here. */
type Report = {
  testResults: {
    name: string;
    message: string;
    status: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
};

const root = join(import.meta.dirname, "..");
/** A fault may make a test wait for ever. */
const patienceMs = 300_000;
// Each run has a PostgreSQL of its own: a fault may leave databases and roles behind.
const environment = { ...process.env, DATABASE_URL: undefined, FORCE_COLOR: "0" };

/** Runs a program of the installed packages in the copy. */
function run(
  { folder }: ProjectCopy,
  program: string,
  parameters: string[],
): Promise<{ failed: boolean; output: string }> {
  const options = { cwd: folder, env: environment, timeout: patienceMs, maxBuffer: 2 ** 28 };
  return new Promise((done) => {
    execFile(join(folder, "node_modules/.bin", program), parameters, options, (error, stdout, stderr) =>
      done({ failed: error !== null, output: stdout + stderr }),
    );
  });
}

/** Runs test files until one of their tests fails. */
async function runTests(copy: ProjectCopy, tests: string[]): Promise<Result> {
  const report = join(copy.folder, "report.json");
  await writeFile(report, "");
  // Unit tests need no database, so none is started.
  const needDatabase = tests.some((test) => !test.endsWith(".unit.test.ts"));
  const config = needDatabase ? "vitest.config.ts" : "vitest.units.config.ts";
  const parameters = ["run", ...tests, `--config=${config}`, "--bail=1", "--reporter=json", `--outputFile=${report}`];
  const { failed, output } = await run(copy, "vitest", parameters);
  if (!failed) return { verdict: "passed", detail: "every test passes" };
  const text = await readFile(report, "utf8");
  if (!text) return { verdict: "broken", detail: `no test could be run:\n${output.slice(-2_000)}` };
  const { testResults } = JSON.parse(text) as Report;
  const failure = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === "failed");
  if (failure) return { verdict: "noticed", detail: failure.fullName };
  const unloaded = testResults.find(({ status, message }) => status === "failed" && message);
  if (unloaded) return { verdict: "broken", detail: `${unloaded.name} could not be set up: ${unloaded.message}` };
  return { verdict: "noticed", detail: "an unhandled error" };
}

async function tryFault(copy: ProjectCopy, fault: Fault): Promise<Result> {
  const file = join(copy.folder, fault.file);
  const source = await readFile(file, "utf8");
  await writeFile(file, withFault(source, fault));
  try {
    const types = await run(copy, "tsc", ["--project", "tsconfig.faults.json"]);
    if (types.failed) return { verdict: "broken", detail: `it does not compile:\n${types.output}` };
    return await runTests(copy, testsFor(fault));
  } finally {
    await writeFile(file, source);
  }
}

async function prepareCopy(): Promise<ProjectCopy> {
  const paths = (await readdir(root)).filter((name) => name !== "node_modules" && !name.startsWith("."));
  const copy = await copyProject(paths);
  // A fault may leave a name unused.
  const allowed = { noUnusedLocals: false, noUnusedParameters: false };
  const compilerOptions = { ...allowed, incremental: true, tsBuildInfoFile: "faults.tsbuildinfo" };
  const settings = { extends: "./tsconfig.json", include: ["src"], compilerOptions };
  await writeFile(join(copy.folder, "tsconfig.faults.json"), JSON.stringify(settings));
  return copy;
}

const words = process.argv.slice(2).join(" ");
const listed = [...(await readFaults())].flatMap(([list, its]) => its.map((fault) => ({ ...fault, list })));
const faults = listed.filter(({ list, name }) => !words || list === words || name.includes(words));
if (faults.length === 0) {
  console.error(`No list and no fault is called "${words}".`);
  process.exit(1);
}

const copies = await Promise.all(Array.from({ length: Math.min(availableParallelism(), 2) }, prepareCopy));
const survivors: string[] = [];
try {
  const sound = await runTests(copies[0] as ProjectCopy, [...new Set(faults.flatMap(testsFor))]);
  if (sound.verdict !== "passed") throw new Error(`Without any fault the tests must pass: ${sound.detail}`);
  const waiting = [...faults];
  const work = copies.map(async (copy) => {
    for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
      const began = performance.now();
      const { verdict, detail } = await tryFault(copy, fault);
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      const noticed = verdict === "noticed";
      if (!noticed) survivors.push(`${fault.list}: ${fault.name}`);
      console.log(`${noticed ? "✓" : "✗"} ${fault.list}: ${fault.name} (${seconds} s)\n    ${detail}`);
    }
  });
  await Promise.all(work);
} finally {
  for (const copy of copies) await copy.remove();
}
for (const survivor of survivors) console.log(`SURVIVED ${survivor}`);
const noticed = faults.length - survivors.length;
console.log(`${noticed} of ${faults.length} faults noticed (${Math.floor((noticed / faults.length) * 100)} %)`);
process.exitCode = survivors.length > 0 ? 1 : 0;
