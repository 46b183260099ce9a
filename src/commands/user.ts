import { createInterface } from "node:readline";
import { loadEnvironmentFile, readConfig, readPassword } from "../config.ts";
import { ApplicationError, UserError } from "../errors.ts";
import { createLogger } from "../logger.ts";
import { migrate } from "../postgres/migrations.ts";
import { openConnections, unitsOfWork } from "../resources.ts";
import { argon2Passwords } from "../users/passwords.ts";
import { createUser } from "../users/user.creation.ts";
import { userSlice } from "../users/user.slice.ts";
import { connectAs, withDatabase } from "./database-session.ts";

export type UserOptions = { email?: string; name?: string; admin?: boolean; editor?: boolean };

/** Creates a user, such as the first admin of a production database. */
export async function createUserCommand({ email, name, admin, editor }: UserOptions): Promise<void> {
  if (!email || !name) throw new UserError("Say --email and --name.");
  if (admin && editor) throw new UserError("Say --admin or --editor, not both.");
  loadEnvironmentFile();
  const config = readConfig();
  const password = readPassword() ?? (await askForPassword());
  const role = admin ? "ADMIN" : editor ? "EDITOR" : "VIEWER";
  await withDatabase(config, async (database) => {
    await migrate(database.ownerUrl);
    const logger = createLogger({ level: "error", format: "pretty" });
    const url = await connectAs(database, "lectern_server", logger);
    const connections = openConnections(config, url, logger);
    const run = unitsOfWork(config, connections, [userSlice], logger);
    const passwords = argon2Passwords();
    try {
      const user = await run({ name: "user create" }, (uow) =>
        createUser({ uow, passwords }, { email, name, password }, role),
      );
      console.log(`Made ${user.email} as ${user.role}.`);
    } catch (error) {
      if (error instanceof ApplicationError) throw new UserError(error.message);
      throw error;
    } finally {
      await connections.close();
    }
  });
}

async function askForPassword(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write("Password: ");
  for await (const line of createInterface({ input: process.stdin })) return line;
  throw new UserError("There is no password: set LECTERN_PASSWORD, or write it to standard input.");
}
