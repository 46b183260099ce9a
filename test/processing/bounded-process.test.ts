/** Processes of quick, endless, greedy and crashing work. Each is gone when its outcome is known. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { constants, getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BoundedProcesses, type ProcessRunOptions } from "../../src/processing/bounded-process.ts";
import type { WorkLimits } from "../../src/processing/bounded-work.ts";
import { until } from "../support/until.ts";

const filename = join(import.meta.dirname, "../support/any-process-task.ts");
let processes: BoundedProcesses<{ code: string }, unknown>;
let folder: string;

function start({ count = 1, ...limits }: Partial<WorkLimits> & { count?: number } = {}) {
  processes = new BoundedProcesses({
    filename,
    processes: count,
    limits: { waitMs: 60_000, timeoutMs: 60_000, memoryMb: 1_000, ...limits },
    subject: "The work",
  });
}
const run = (code: string, options?: ProcessRunOptions) => processes.run({ code }, options);

beforeEach(async () => {
  start();
  folder = await mkdtemp(join(tmpdir(), "lectern-process-"));
});
afterEach(async () => {
  await processes.close();
  await rm(folder, { recursive: true });
});

/** Code that writes the numbers of its process and of a program that it starts, and then goes on for ever. */
const startProgram = () => `
  const program = require("child_process").spawn("sleep", ["1000"], { stdio: "ignore" });
  require("fs").writeFileSync(${JSON.stringify(join(folder, "ids"))}, process.pid + " " + program.pid);
  report(0.5);
`;
const ids = async () => (await readFile(join(folder, "ids"), "utf8")).split(" ").map(Number);
/** Zombies have ended, too. */
async function runs(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/\) [ZX] /.test(status);
}
const haveEnded = (pids: number[]) =>
  until(async () => (await Promise.all(pids.map(runs))).every((one) => !one), `${pids} have ended`);

describe("a process", () => {
  it("answers its task, and reports its progress before", async () => {
    const reports: number[] = [];
    const bytes = await run("report(0.25); report(0.5); return Uint8Array.of(1, 2);", {
      report: (progress) => reports.push(progress),
    });
    expect(bytes).toEqual(Uint8Array.of(1, 2));
    expect(reports).toEqual([0.25, 0.5]);
  });

  it("has neither the environment nor the priority of the server, and writes files for its user only", async () => {
    process.env.LECTERN_SECRET = "secret";
    try {
      const answer = await run("return [Object.keys(process.env), require('os').getPriority(), process.umask()];");
      const own = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"];
      const [names, ...others] = answer as [string[], number, number];
      expect(names.filter((name) => !own.includes(name))).toEqual([]);
      expect(others).toEqual([getPriority() + 10, 0o077]);
    } finally {
      delete process.env.LECTERN_SECRET;
    }
  });

  it("fails with the message of its error, also after a rejection that nothing handles", async () => {
    await expect(run("throw new TypeError('No.');")).rejects.toThrow(/^No\.$/);
    await expect(run("Promise.reject(new Error('stray')); return 1;")).resolves.toBe(1);
  });

  it.each(["SIGSEGV", "SIGKILL"])("that ends by %s fails its task only", async (signal) => {
    await expect(run(`process.kill(process.pid, "${signal}"); for (;;);`)).rejects.toThrow(
      `The work ended unexpectedly (${signal}).`,
    );
    await expect(run("process.exit(3);")).rejects.toThrow("The work ended unexpectedly (exit code 3).");
    await expect(run("return 1;")).resolves.toBe(1);
  });

  it("that cannot begin fails its task", async () => {
    const missing = new BoundedProcesses({
      filename: join(folder, "missing.ts"),
      processes: 1,
      limits: { waitMs: 60_000, timeoutMs: 60_000, memoryMb: 1_000 },
      subject: "The work",
    });
    await expect(missing.run({})).rejects.toThrow("The work ended unexpectedly (exit code 1).");
  });
});

describe("a limit", () => {
  it("of time ends work that blocks its event loop", async () => {
    start({ timeoutMs: 1_000 });
    await expect(run("for (;;);")).rejects.toMatchObject({
      name: "LimitExceededError",
      limit: "timeoutMs",
      isCertain: false,
      message: "The work took longer than 1 s.",
    });
  });

  it("of memory ends work that takes native memory without a pause", async () => {
    start({ memoryMb: 300 });
    const code = "const all = []; for (;;) if (all.length < 2_000) all.push(Buffer.alloc(1_000_000, 1));";
    await expect(run(code)).rejects.toMatchObject({
      name: "LimitExceededError",
      limit: "memoryMb",
      isCertain: true,
      message: "The work takes more than 300 MB of memory.",
    });
  });

  it("of memory counts the programs of the work", async () => {
    start({ memoryMb: 300 });
    const greedy = "const all = []; for (;;) if (all.length < 2_000) all.push(Buffer.alloc(1_000_000, 1));";
    const code = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(greedy)}]); return new Promise(() => {});`;
    await expect(run(code)).rejects.toMatchObject({ limit: "memoryMb" });
  });

  it("of number lets tasks wait, which does not count as their time", async () => {
    start({ waitMs: 60_000, timeoutMs: 60_000 });
    const order: string[] = [];
    const tasks = ["one", "two", "three"].map((name) =>
      run(`return "${name}";`).then((answer) => order.push(`${answer}`)),
    );
    await Promise.all(tasks);
    expect(order).toEqual(["one", "two", "three"]);
  });

  it("of waiting refuses a task for which no process is free", async () => {
    start({ waitMs: 50 });
    const abort = new AbortController();
    const first = run("return new Promise(() => {});", { signal: abort.signal });
    await expect(run("return 1;")).rejects.toMatchObject({ name: "LimitExceededError", limit: "waitMs" });
    abort.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
  });
});

describe("the end", () => {
  it("by a signal kills the process and its programs, and is over when the task fails", async () => {
    const abort = new AbortController();
    const begun = Promise.withResolvers<void>();
    const task = run(`${startProgram()} for (;;);`, { signal: abort.signal, report: () => begun.resolve() });
    await begun.promise;
    abort.abort(new Error("The claim is lost."));
    await expect(task).rejects.toThrow("The claim is lost.");
    const [own = 0, program = 0] = await ids();
    expect(existsSync(`/proc/${own}`)).toBe(false);
    await haveEnded([own, program]);
  });

  it("of a task kills the programs that it left", async () => {
    await run(`${startProgram()} return 1;`);
    await haveEnded(await ids());
  });

  it("does not begin a task whose signal is aborted already", async () => {
    const fails = run(startProgram(), { signal: AbortSignal.abort(new Error("too late")) });
    await expect(fails).rejects.toThrow("too late");
    expect(existsSync(join(folder, "ids"))).toBe(false);
  });

  it("by close kills everything, and waits for it", async () => {
    const begun = Promise.withResolvers<void>();
    const task = run(`${startProgram()} for (;;);`, { report: () => begun.resolve() });
    const fails = expect(task).rejects.toThrow("The work ended unexpectedly (SIGKILL).");
    await begun.promise;
    await processes.close();
    const [own = 0, program = 0] = await ids();
    expect(existsSync(`/proc/${own}`)).toBe(false);
    await fails;
    await haveEnded([own, program]);
  });

  it("leaves no timer and no listener", async () => {
    const [begin, end] = [vi.spyOn(globalThis, "setInterval"), vi.spyOn(globalThis, "clearInterval")];
    try {
      const { signal } = new AbortController();
      const [add, remove] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
      await run("return 1;", { signal });
      const watches = begin.mock.results.map(({ value }) => value);
      expect(watches.length).toBeGreaterThan(0);
      expect(end.mock.calls.map(([timer]) => timer)).toEqual(expect.arrayContaining(watches));
      expect(remove.mock.calls).toEqual(add.mock.calls);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it("of the server, even by SIGKILL, is that of its processes and of their programs", async () => {
    const server = fork(join(import.meta.dirname, "../support/task-server.ts"), [
      filename,
      // It yields, as work on a file does.
      `${startProgram()} for (;;) await new Promise((resume) => setTimeout(resume, 5));`,
    ]);
    await once(server, "message");
    const pids = await ids();
    expect(await Promise.all(pids.map(runs))).toEqual([true, true]);
    server.kill(constants.signals.SIGKILL);
    await haveEnded(pids);
  });
});
