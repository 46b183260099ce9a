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

type ListedFault = Fault & { list: string };

/** Tests notice a fault when they ran and one of them failed. */
type Result = { noticed: boolean; passed: boolean; detail: string };
type Run = { failed: boolean; output: string };

/** The parts of a report of vitest's JSON reporter that are read here. */
type Report = {
  testResults: {
    name: string;
    message: string;
    status: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
};

const root = join(import.meta.dirname, "..");
/** A fault may make a test wait for ever. */
const patienceMs = 300_000;

function run(copy: ProjectCopy, environment: NodeJS.ProcessEnv, program: string, parameters: string[]): Promise<Run> {
  const options = { cwd: copy.folder, env: environment, timeout: patienceMs, maxBuffer: 2 ** 28 };
  return new Promise((done) => {
    const binary = join(copy.folder, "node_modules/.bin", program);
    execFile(binary, parameters, options, (error, stdout, stderr) =>
      done({ failed: !!error, output: stdout + stderr }),
    );
  });
}

const passed: Result = { noticed: false, passed: true, detail: "every test passes" };
const noticedBy = (detail: string): Result => ({ noticed: true, passed: false, detail });
const broken = (detail: string): Result => ({ noticed: false, passed: false, detail });

/** Runs test files until one of their tests fails. */
async function runTests(copy: ProjectCopy, environment: NodeJS.ProcessEnv, tests: string[]): Promise<Result> {
  const report = join(copy.folder, "report.json");
  await writeFile(report, "");
  // Unit tests need no database, so none is started.
  const needDatabase = tests.some((test) => !test.endsWith(".unit.test.ts"));
  const config = needDatabase ? "vitest.config.ts" : "vitest.units.config.ts";
  const parameters = ["run", ...tests, `--config=${config}`, "--bail=1", "--reporter=json", `--outputFile=${report}`];
  const { failed, output } = await run(copy, environment, "vitest", parameters);
  if (!failed) return passed;
  const text = await readFile(report, "utf8");
  if (!text) return broken(`no test could be run:\n${output.slice(-2_000)}`);
  const { testResults } = JSON.parse(text) as Report;
  const failure = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === "failed");
  if (failure) return noticedBy(failure.fullName);
  const unloaded = testResults.find(({ status, message }) => status === "failed" && message);
  return unloaded
    ? broken(`${unloaded.name} could not be set up: ${unloaded.message}`)
    : noticedBy("an unhandled error");
}

async function tryFault(copy: ProjectCopy, environment: NodeJS.ProcessEnv, fault: ListedFault): Promise<Result> {
  const file = join(copy.folder, fault.file);
  const source = await readFile(file, "utf8");
  await writeFile(file, withFault(source, fault));
  try {
    const types = await run(copy, environment, "tsc", ["--project", "tsconfig.faults.json"]);
    return types.failed
      ? broken(`it does not compile:\n${types.output}`)
      : await runTests(copy, environment, testsFor(fault));
  } finally {
    await writeFile(file, source);
  }
}

async function prepareCopy(): Promise<ProjectCopy> {
  const paths = (await readdir(root)).filter((name) => name !== "node_modules" && !name.startsWith("."));
  const copy = await copyProject(paths);
  const include = ["src"];
  const compilerOptions = { incremental: true, tsBuildInfoFile: "faults.tsbuildinfo", noUnusedLocals: false };
  const options = { ...compilerOptions, noUnusedParameters: false };
  const settings = { extends: "./tsconfig.json", include, compilerOptions: options };
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

// Each run has a PostgreSQL of its own: a fault may leave databases and roles behind.
const environment = { ...process.env, DATABASE_URL: undefined, FORCE_COLOR: "0" };
const copies = await Promise.all(Array.from({ length: Math.min(availableParallelism(), 2) }, prepareCopy));
const survivors: string[] = [];
try {
  const sound = await runTests(copies[0] as ProjectCopy, environment, [...new Set(faults.flatMap(testsFor))]);
  if (!sound.passed) throw new Error(`Without any fault the tests must pass: ${sound.detail}`);
  const waiting = [...faults];
  const work = copies.map(async (copy) => {
    for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
      const began = performance.now();
      const { noticed, detail } = await tryFault(copy, environment, fault);
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
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
