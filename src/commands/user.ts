import { createInterface } from "node:readline/promises";
import { compose } from "../composition.ts";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { migrate } from "../database/migrations.ts";
import { ApplicationError, UserError } from "../errors.ts";
import { createLogger } from "../logger.ts";
import { withDatabase } from "./database-session.ts";

export type UserOptions = { email?: string; name?: string; admin?: boolean; editor?: boolean };

/** The first admin of a new production database is made here. */
export async function createUserCommand({ email, name, admin, editor }: UserOptions): Promise<void> {
  if (!email || !name) throw new UserError("Say --email and --name.");
  loadEnvironmentFile();
  const config = readConfig();
  const password = process.env.LECTERN_PASSWORD ?? (await askForPassword());
  const role = admin ? "ADMIN" : editor ? "EDITOR" : "VIEWER";
  await withDatabase(config, async (url) => {
    await migrate(url);
    const application = compose(config, url, "http://localhost", createLogger({ level: "warn", format: "pretty" }));
    try {
      await application.run({ name: "user create" }, (uow) =>
        application.services(uow, null).users.createUser({ email, name, password }, role),
      );
      console.log(`Made ${email} as ${role}.`);
    } catch (error) {
      if (error instanceof ApplicationError) throw new UserError(error.message);
      throw error;
    } finally {
      await application.close();
    }
  });
}

async function askForPassword(): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdin.isTTY ? process.stderr : undefined });
  try {
    return (await lines.question(process.stdin.isTTY ? "Password: " : "")).trim();
  } finally {
    lines.close();
  }
}
