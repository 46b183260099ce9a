/** The command line. Mistakes of the user end in one line and a non-zero exit status. */
import { parseArgs } from "node:util";
import { UserError } from "./errors.ts";

const usage = `Usage: node src/main.ts <command>

  start                     runs the server with a worker and, without DATABASE_URL, an embedded PostgreSQL
  worker                    runs a worker only; there may be any number
  migrate                   applies missing migrations
  migrate new NAME          writes a migration with the changes of schema.prisma
  seed                      loads the sample library and the demo users
  schema [FILE]             prints the GraphQL schema, or writes it to FILE
  doctor [--json] [--repair]
                            checks the contents of the database and the file store; --repair mends what loses nothing
  storage copy [--from STORE] [--to STORE] [--trust-size]
                            copies all files to another store, such as s3://bucket or a folder
  user create --email E --name N [--admin|--editor]
                            creates a user; the password comes from LECTERN_PASSWORD or standard input

Configuration comes from the environment and from .env: see the README's table.`;

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      email: { type: "string" },
      name: { type: "string" },
      admin: { type: "boolean" },
      editor: { type: "boolean" },
      json: { type: "boolean" },
      repair: { type: "boolean" },
      from: { type: "string" },
      to: { type: "string" },
      "trust-size": { type: "boolean" },
    },
  });
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) {
    console.log(usage);
    if (!values.help) process.exitCode = 2;
    return;
  }
  if (rest.length > 0 && !["migrate", "schema", "storage", "user"].includes(command)) {
    throw new UserError(`\`${command}\` takes no arguments, not "${rest.join(" ")}".`);
  }
  // Imported dynamically, so that each command loads only its own modules.
  switch (command) {
    case "start":
      return (await import("./commands/start.ts")).start();
    case "worker":
      return (await import("./commands/worker.ts")).worker();
    case "migrate":
      return (await import("./commands/migrate.ts")).migrateCommand(rest);
    case "seed":
      return (await import("./commands/seed.ts")).seedCommand();
    case "schema":
      return (await import("./commands/schema.ts")).printSchemaCommand(rest);
    case "doctor":
      return (await import("./commands/doctor.ts")).doctor(values);
    case "storage":
      return (await import("./commands/storage.ts")).storageCommand(rest, values);
    case "user":
      if (rest[0] !== "create" || rest.length > 1) throw new UserError("The only command for users is `user create`.");
      return (await import("./commands/user.ts")).createUserCommand(values);
    default:
      throw new UserError(`Unknown command "${command}".\n\n${usage}`);
  }
}

main().catch((error: unknown) => {
  const isMistake =
    error instanceof UserError || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS") === true;
  console.error(isMistake ? (error as Error).message : error);
  process.exit(1);
});
