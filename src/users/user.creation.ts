/** The rules of a new account, for sign-ups and for the command `user create`. */
import { createHash } from "node:crypto";
import type { Role } from "../database/generated/prisma/enums.ts";
import type { UserRow } from "../database/generated/tables.ts";
import { ApplicationError, badInput } from "../errors.ts";
import { requireShortText } from "../short-text.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import type { Passwords } from "./passwords.ts";
import { EmailTakenError, type UserRepository } from "./user.repository.ts";

export type SignUp = { email: string; name: string; password: string };

export type UserCreationParts = {
  uow: Pick<UnitOfWork, "prepare"> & { users: UserRepository };
  passwords: Passwords;
};

/** @throws ApplicationError BAD_USER_INPUT, or DUPLICATE when the e-mail has an account */
export async function createUser(parts: UserCreationParts, input: SignUp, role: Role): Promise<UserRow> {
  const user = await prepareUser(parts, input);
  try {
    return await parts.uow.users.create({ ...user, role });
  } catch (error) {
    if (!(error instanceof EmailTakenError)) throw error;
    const details = { inputPath: ["input", "email"] };
    throw new ApplicationError("DUPLICATE", "There is an account with this e-mail.", details, error);
  }
}

/** The slow part of `createUser`, done before a transaction begins and once for all attempts: checks and hashes. */
export async function prepareUser(
  { uow, passwords }: UserCreationParts,
  input: SignUp,
): Promise<{ email: string; name: string; passwordHash: string }> {
  const email = requireEmail(input.email);
  const name = requireName(input.name);
  const password = requirePassword(input.password);
  const passwordHash = await uow.prepare(`hash ${digest(email, password)}`, () => passwords.hash(password));
  return { email, name, passwordHash };
}

const shortestPassword = 8;
export const longestPassword = 128;

/** Names secrets in the label of a preparation without disclosing them. */
export const digest = (...parts: string[]) => createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
export const normalEmail = (email: string) => email.trim().toLowerCase();
export const isEmail = (email: string) => email.length <= 254 && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email);

function requireEmail(email: string): string {
  const normal = normalEmail(email);
  if (!isEmail(normal)) throw badInput(["input", "email"], "This is not an e-mail address.");
  return normal;
}

const requireName = (name: string) => requireShortText(name, { field: "name", longest: 200 });

function requirePassword(password: string): string {
  if (password.length < shortestPassword || password.length > longestPassword) {
    throw badInput(
      ["input", "password"],
      `A password has ${shortestPassword} to ${longestPassword} characters, not ${password.length}.`,
    );
  }
  // Half characters all become the same one on their way to the hash.
  if (!password.isWellFormed()) throw badInput(["input", "password"], "The password holds half a character.");
  return password;
}
