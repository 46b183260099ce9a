import type { Fault } from "./fault.ts";

const line = ["test/commands/command-line.test.ts"];
const start = ["test/commands/start.test.ts"];

export const faults: Fault[] = [
  {
    name: "an admin and editor at once is made an admin",
    file: "src/commands/user.ts",
    replace: { 'if (admin && editor) throw new UserError("Say --admin or --editor, not both.");': "" },
    tests: line,
  },
  {
    name: "every user of the command is a viewer",
    file: "src/commands/user.ts",
    replace: { 'admin ? "ADMIN" : editor ? "EDITOR" : "VIEWER"': 'admin && editor ? "ADMIN" : "VIEWER"' },
    tests: line,
  },
  {
    name: "a mistake in a user's data is shown with its stack",
    file: "src/commands/user.ts",
    replace: { "if (error instanceof ApplicationError) throw new UserError(error.message);": "" },
    tests: line,
  },
  {
    name: "an empty password is read from the terminal",
    file: "src/commands/user.ts",
    replace: {
      'throw new UserError("There is no password: set LECTERN_PASSWORD, or write it to standard input.");':
        'return "";',
    },
    tests: line,
  },
  {
    name: "the demo users come into a production database",
    file: "src/commands/seed.ts",
    replace: { "if (config.isProduction) throw": "if (config.isProduction && !config.DATABASE_URL) throw" },
    tests: line,
  },
  {
    name: "doctor finds violations and ends well",
    file: "src/commands/doctor.ts",
    replace: { "if (!report.isSound) throw": "if (!report.findings) throw" },
    tests: line,
  },
  {
    name: "the report of doctor after a repair is the one before it",
    file: "src/commands/doctor.ts",
    replace: { "return { findings: await examine(parts), repaired };": "return { findings, repaired };" },
    tests: line,
  },
  {
    name: "doctor repairs without being asked",
    file: "src/commands/doctor.ts",
    replace: { "makeReport(options.repair === true)": "makeReport(options.repair !== false)" },
    tests: line,
  },
  {
    name: "doctor shows a stack where nothing was migrated",
    file: "src/commands/doctor.ts",
    replace: { "if (!found?.any) throw": "if (!found) throw" },
    tests: line,
  },
  {
    name: "the database that a migration was compared with stays",
    file: "src/commands/migrate.ts",
    replace: { "await client.query(`drop database if exists ${name} with (force)`);": "" },
    tests: line,
  },
  {
    name: "a worker begins before the database is migrated",
    file: "src/commands/worker.ts",
    replace: { "if (!(await isMigrated(database))) {": "if (config.isProduction && !(await isMigrated(database))) {" },
    tests: line,
  },
  {
    name: "a waiting worker ends when the database restarts",
    file: "src/commands/worker.ts",
    replace: { "while (!(await isMigrated(database).catch(notYet)))": "while (!(await isMigrated(database)))" },
    tests: line,
  },
  {
    name: "a worker that waits does not hear Ctrl-C",
    file: "src/commands/worker.ts",
    replace: { "signal.then(() => true)": "signal.then(() => false)" },
    tests: line,
  },
  {
    name: "a worker that is stopped does not give back its work",
    file: "src/commands/worker.ts",
    replace: { "await running.stop();": "void running;" },
    tests: line,
  },
  {
    name: "a database that is too old is used",
    file: "src/commands/database-session.ts",
    replace: { "rows[0].version < oldestVersion": "rows[0].version < 0" },
    tests: ["test/commands/database-session.test.ts"],
  },
  {
    name: "the password of the database is shown when it cannot be reached",
    file: "src/commands/database-session.ts",
    replace: { "cannot be used: ${message || code}.": "cannot be used: ${message || code} (${url})." },
    tests: line,
  },
  {
    name: "the embedded database runs on after a command",
    file: "src/commands/database-session.ts",
    replace: { "await session.stop();": "void session;" },
    tests: start,
  },
  {
    name: "the server works with all rights of its login",
    file: "src/commands/database-session.ts",
    replace: { "if (reason === null) return urlAs(url, role);": "if (reason === null) return url;" },
    tests: ["test/commands/database-session.test.ts"],
  },
  {
    name: "a part that fails to stop keeps the others from it",
    file: "src/commands/stop-all.ts",
    replace: {
      'await stop().catch((error) => logger.error({ err: error }, "a part did not stop well"));': "await stop();",
    },
    tests: ["test/commands/stop-all.unit.test.ts"],
  },
  {
    name: "the parts stop in the order of their start",
    file: "src/commands/stop-all.ts",
    replace: { "stops.toReversed()": "stops" },
    tests: ["test/commands/stop-all.unit.test.ts"],
  },
  {
    name: "a server in production takes another port than it was given",
    file: "src/commands/start.ts",
    replace: { "mayMovePort: !config.isProduction": "mayMovePort: true" },
    tests: start,
  },
  {
    name: "the demo passwords are announced in production",
    file: "src/commands/start.ts",
    replace: { "if (!isProduction) { lines.push(": "{ lines.push(" },
    tests: start,
  },
  {
    name: "a first start shows a library that cannot be searched yet",
    file: "src/commands/start.ts",
    replace: { "if (isFirstStart) await untilProcessed(application);": "" },
    tests: start,
  },
  {
    name: "a first start makes no samples of processed rows",
    file: "src/commands/start.ts",
    replace: {
      "if (isFirstStart) stops.push(loadProcessedSamplesMeanwhile(application, logger));":
        "void loadProcessedSamplesMeanwhile;",
    },
    tests: start,
  },
  {
    name: "`seed` says that all is complete before it is",
    file: "src/commands/seed.ts",
    replace: { "if (!(await loadProcessedSamples(application))) {": "if (!loadProcessedSamples(application)) {" },
    tests: ["test/commands/command-line.test.ts"],
  },
  {
    name: "a server starts whose files cannot be stored",
    file: "src/commands/start.ts",
    replace: { "await requireFileStore(config, logger);": "void requireFileStore;" },
    tests: ["test/commands/failing-disk.test.ts"],
  },
  {
    name: "an interrupted start is not stopped in order",
    file: "src/commands/until-signal.ts",
    replace: { "if (signals > 2) process.exit(1);": "process.exit(1);" },
    tests: start,
  },
];
