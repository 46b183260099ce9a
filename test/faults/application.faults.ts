import type { Fault } from "./fault.ts";

const config = ["test/config.test.ts"];
const housekeeping = ["test/housekeeping.test.ts"];
const doctor = ["test/commands/command-line.test.ts"];

/** Faults of the files that stand in `src` itself. */
export const faults: Fault[] = [
  {
    name: "an empty setting is not the same as none",
    file: "src/config.ts",
    replace: { '.filter(([, value]) => value !== "")': "" },
    tests: config,
  },
  {
    name: "production starts with a secret of its own making",
    file: "src/config.ts",
    replace: { '["AUTH_SECRET", "PUBLIC_URL"]': '["PUBLIC_URL"]' },
    tests: config,
  },
  {
    name: "a process of production kills itself at a point for tests",
    file: "src/config.ts",
    replace: { "if (present.CRASH_AT !== undefined) faults.push(": "if (present.CRASH_AT === null) faults.push(" },
    tests: config,
  },
  {
    name: "files go while their operation may still be tried again",
    file: "src/config.ts",
    replace: { "UPLOAD_WAIT_MS + TRANSACTION_RETRY_MS + WRITE_WAIT_MS": "UPLOAD_WAIT_MS + WRITE_WAIT_MS" },
    tests: config,
  },
  {
    name: "the secret is readable by every user of the machine",
    file: "src/config.ts",
    replace: { "{ mode: 0o600 }": "{ mode: 0o644 }" },
    tests: config,
  },
  {
    name: "two starts make two secrets",
    file: "src/config.ts",
    replace: { "linkSync(draft, path);": "linkSync(draft, `${path}.old`); writeFileSync(path, secret);" },
    tests: config,
  },
  {
    name: "the settings can be changed while the server runs",
    file: "src/config.ts",
    replace: { "return Object.freeze({": "return Object.seal({" },
    tests: config,
  },
  {
    name: "a secret of 31 characters is allowed",
    file: "src/settings.ts",
    replace: { '.min(32, "must have at least 32 characters")': '.min(31, "must have at least 32 characters")' },
    tests: config,
  },
  {
    name: "old keys of operations are kept for ever",
    file: "src/housekeeping.ts",
    replace: { "work: () => sweepKeys(run, config.IDEMPOTENCY_HOURS)": "work: async () => 0 * sweepKeys.length" },
    tests: housekeeping,
  },
  {
    name: "the outbox grows for ever",
    file: "src/housekeeping.ts",
    replace: { "work: () => pruneOutbox(run, config.OUTBOX_HOURS)": "work: async () => 0 * pruneOutbox.length" },
    tests: housekeeping,
  },
  {
    name: "the sweeps of the slices are forgotten",
    file: "src/housekeeping.ts",
    replace: { ".flatMap(({ sweeps = [] }) => sweeps)": ".flatMap(({ sweeps = [] }) => sweeps.slice(sweeps.length))" },
    tests: housekeeping,
  },
  {
    name: "a job begins again while it runs",
    file: "src/housekeeping.ts",
    replace: { "running ??= work()": "running = work()" },
    tests: housekeeping,
  },
  {
    name: "the server stops while a job runs",
    file: "src/housekeeping.ts",
    replace: { "clearInterval(timer); await running;": "clearInterval(timer);" },
    tests: housekeeping,
  },
  {
    name: "a job that failed once is never tried again",
    file: "src/housekeeping.ts",
    replace: {
      ".finally(() => { running = undefined; })": ".then(() => { running = undefined; })",
      ".catch((error) => logger.warn({ err: error }, `${name} failed`))": "",
      "running ??= work()":
        "running ??= work().catch((error) => { logger.warn({ err: error }, `${name} failed`); return new Promise<number>(() => {}); })",
    },
    tests: housekeeping,
  },
  {
    name: "doctor does not count jobs whose lease ended long ago",
    file: "src/integrity.ts",
    replace: {
      "...(queue && leaseCheck(queue.table, maxAttempts))":
        "...(queue && maxAttempts < 0 && leaseCheck(queue.table, 1))",
    },
    tests: doctor,
  },
  {
    name: "doctor counts files that a running operation may name",
    file: "src/integrity.ts",
    replace: {
      "findNamed(fileColumnsOf(slices), reader, keys), graceMs,":
        "findNamed(fileColumnsOf(slices), reader, keys), graceMs: 0 * graceMs,",
    },
    tests: ["test/slices.test.ts", "test/integrity.test.ts"],
  },
  {
    name: "doctor counts documents once for each of their violations, and shows them all",
    file: "src/integrity.ts",
    replace: {
      "select distinct id::text from violations order by 1 limit ${maxIds}": "select id::text from violations",
    },
    tests: ["test/integrity.test.ts"],
  },
  {
    name: "the repair leaves the files that no row names",
    file: "src/integrity.ts",
    replace: { "if (complaint === unnamedFiles) await": "if (complaint === unnamedFiles && count < 0) await" },
    tests: ["test/integrity.test.ts"],
  },
  {
    name: "the repair mends what was not found",
    file: "src/integrity.ts",
    replace: { "if (count === 0 || !isRepairable) continue;": "if (!isRepairable) continue;" },
    tests: ["test/integrity.test.ts"],
  },
  {
    name: "a check with advice counts as repairable",
    file: "src/integrity.ts",
    replace: { "isRepairable: advice === undefined,": "isRepairable: true," },
    tests: ["test/integrity.test.ts", "test/commands/command-line.test.ts"],
  },
  {
    name: "a leftover that a server removes is a fault",
    file: "src/integrity.ts",
    replace: { "ids: found.sort().slice(0, maxIds) }), isFault: false }": "ids: found.sort().slice(0, maxIds) }) }" },
    tests: ["test/integrity.test.ts"],
  },
  {
    name: "a first start waits until the sounds are decoded",
    file: "src/sample-library.ts",
    replace: { "queue && (needsProcessing || isAll)": "queue" },
    tests: ["test/sample-library.test.ts"],
  },
  {
    name: "the sounds of the sample library have no event",
    file: "src/audio/audio.slice.ts",
    replace: { "eventId: event?.id ?? null": "eventId: null" },
    tests: ["test/sample-library.test.ts"],
  },
  {
    name: "the sample library comes a second time",
    file: "src/sample-library.ts",
    replace: {
      "if (found?.any) return false;": "void found;",
      'if (error instanceof ApplicationError && error.code === "DUPLICATE") return false;': "void ApplicationError;",
    },
    tests: ["test/commands/command-line.test.ts"],
  },
  {
    name: "a session that ended keeps its subscriptions until the next event",
    file: "src/application.ts",
    replace: { "viewers.onForget(() => changes.checkAll());": "" },
    tests: ["test/application.test.ts"],
  },
  {
    name: "files are removed only when somebody looks, not when their rows are deleted",
    file: "src/application.ts",
    replace: { "tailer.onEvents(() => housekeeping.wake());": "" },
    tests: ["test/application.test.ts"],
  },
  {
    name: "everybody may ask for the trace in production",
    file: "src/application.ts",
    replace: {
      "!config.isProduction || isAdmin(viewer)": "!config.isProduction || isAdmin(viewer) || viewer !== null",
    },
    tests: ["test/server/http.test.ts", "test/eager-loading/batching.test.ts"],
  },
  {
    name: "an unhandled error ends the process",
    file: "src/unhandled-errors.ts",
    replace: {
      'logger.fatal({ err: error }, "unhandled error")':
        '{ logger.fatal({ err: error }, "unhandled error"); process.exit(1); }',
    },
    tests: ["test/unhandled-errors.test.ts"],
  },
];
