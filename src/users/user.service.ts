/** The rules of accounts and sessions. */
import { createHash, randomUUID } from "node:crypto";
import type { Role } from "../database/generated/prisma/enums.ts";
import type { UserRow } from "../database/generated/tables.ts";
import { ApplicationError, badInput } from "../errors.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import type { Viewer } from "../viewer.ts";
import type { Passwords } from "./passwords.ts";
import { makeRefreshToken, matchesRefreshHash, sessionOfRefreshToken, type Tokens } from "./tokens.ts";
import { EmailTakenError, type SessionRepository, type UserRepository } from "./user.repository.ts";

export type SignUp = { email: string; name: string; password: string };
export type SignIn = { email: string; password: string };
export type SignedIn = { user: UserRow; sessionId: string; accessToken: string; refreshToken: string; expiresAt: Date };

export type UserServiceParts = {
  uow: Pick<UnitOfWork, "prepare" | "afterCommit" | "afterAbort"> & {
    users: UserRepository;
    sessions: SessionRepository;
  };
  passwords: Passwords;
  tokens: Tokens;
  isSignUpOpen: boolean;
  /** Ends a session in a unit of work of its own. */
  endSession: (sessionId: string) => Promise<void>;
  /** Forgets what is known of sessions, after some of it changed. */
  forgetSessions: () => void;
};

export class UserService {
  readonly #parts: UserServiceParts;

  constructor(parts: UserServiceParts) {
    this.#parts = parts;
  }

  async signUp(input: SignUp): Promise<SignedIn> {
    this.#requireOpenSignUp();
    return this.#startSession(await this.createUser(input, "VIEWER"));
  }

  /** What takes long of `signUp`: done before a transaction begins, and once however often that is tried. */
  async prepareSignUp(input: SignUp): Promise<void> {
    this.#requireOpenSignUp();
    await this.#makeUser(input);
  }

  async createUser(input: SignUp, role: Role): Promise<UserRow> {
    const user = await this.#makeUser(input);
    try {
      return await this.#parts.uow.users.create({ ...user, role });
    } catch (error) {
      if (!(error instanceof EmailTakenError)) throw error;
      const details = { inputPath: ["input", "email"] };
      throw new ApplicationError("DUPLICATE", "There is an account with this e-mail.", details, error);
    }
  }

  async signIn(input: SignIn): Promise<SignedIn> {
    const { uow } = this.#parts;
    const { found, isRight } = await this.#checkPassword(input);
    const user = isRight && found ? await uow.users.find(found.id) : null;
    if (!user) {
      const details = { inputPath: ["input"] };
      throw new ApplicationError("UNAUTHENTICATED", "The e-mail or the password is wrong.", details);
    }
    return this.#startSession(user);
  }

  /** What takes long of `signIn`. @throws when it will fail, so that nothing after it is prepared for nothing */
  async prepareSignIn(input: SignIn): Promise<void> {
    if (!(await this.#checkPassword(input)).isRight) throw new Error("It will not succeed.");
  }

  /** @param token the refresh token; each can be used once, and using an old one ends its session */
  async refresh(token: string): Promise<SignedIn> {
    const { uow, tokens, endSession } = this.#parts;
    const over = new ApplicationError("UNAUTHENTICATED", "The session is over: sign in again.");
    const sessionId = sessionOfRefreshToken(token);
    if (!sessionId) throw over;
    const session = await uow.sessions.lock(sessionId);
    if (!session || session.revokedAt || session.expiresAt.getTime() <= Date.now()) throw over;
    if (!matchesRefreshHash(token, session.refreshHash)) {
      // An old token is somebody's copy. Refusing undoes this unit of work, so the session ends in another.
      uow.afterAbort(() => endSession(sessionId));
      throw over;
    }
    const user = await uow.users.find(session.userId);
    if (!user) throw over;
    const fresh = makeRefreshToken(sessionId);
    await uow.sessions.rotate(sessionId, fresh.hash, secondsFromNow(tokens.refreshSeconds));
    return this.#tokensFor(user, sessionId, fresh.token);
  }

  async revoke(sessionId: string): Promise<void> {
    const { uow, forgetSessions } = this.#parts;
    await uow.sessions.revoke(sessionId);
    uow.afterCommit(forgetSessions);
  }

  async setRole(viewer: Viewer, userId: string, role: Role): Promise<UserRow> {
    const { uow, forgetSessions } = this.#parts;
    const admins = await uow.users.lockAdmins();
    if (!viewer || !admins.includes(viewer.id)) {
      throw new ApplicationError("FORBIDDEN", "Your role does not allow this.");
    }
    if (!(await uow.users.find(userId))) {
      throw new ApplicationError("NOT_FOUND", "There is no such user.", { inputPath: ["input", "userId"] });
    }
    if (role !== "ADMIN" && admins.length === 1 && admins[0] === userId) {
      throw new ApplicationError("INVALID_STATE", "The last admin stays admin.", { inputPath: ["input", "role"] });
    }
    uow.afterCommit(forgetSessions);
    return uow.users.setRole(userId, role);
  }

  #requireOpenSignUp(): void {
    if (!this.#parts.isSignUpOpen) throw new ApplicationError("FORBIDDEN", "New accounts are made by an admin here.");
  }

  async #makeUser(input: SignUp): Promise<{ email: string; name: string; passwordHash: string }> {
    const { uow, passwords } = this.#parts;
    const email = requireEmail(input.email);
    const name = requireName(input.name);
    const password = requirePassword(input.password);
    const passwordHash = await uow.prepare(`hash ${digest(email, password)}`, () => passwords.hash(password));
    return { email, name, passwordHash };
  }

  async #checkPassword(input: SignIn): Promise<{ found: { id: string } | null; isRight: boolean }> {
    const { uow, passwords } = this.#parts;
    const email = normalEmail(input.email);
    // What can be nobody's e-mail is not asked for: it may be what the database cannot take.
    const found = isEmail(email) ? await uow.users.findCredentials(email) : null;
    const hash = found?.passwordHash ?? null;
    const isRight = await uow.prepare(
      `verify ${digest(email, input.password, hash ?? "")}`,
      async () => input.password.length <= longestPassword && (await passwords.verify(hash, input.password)),
    );
    return { found, isRight };
  }

  async #startSession(user: UserRow): Promise<SignedIn> {
    const { uow, tokens } = this.#parts;
    const id = randomUUID();
    const { token, hash } = makeRefreshToken(id);
    await uow.sessions.create({
      id,
      userId: user.id,
      refreshHash: hash,
      expiresAt: secondsFromNow(tokens.refreshSeconds),
    });
    return this.#tokensFor(user, id, token);
  }

  async #tokensFor(user: UserRow, sessionId: string, refreshToken: string): Promise<SignedIn> {
    const { tokens } = this.#parts;
    const expiresAt = secondsFromNow(tokens.accessSeconds);
    const accessToken = await tokens.signAccess({ userId: user.id, sessionId }, expiresAt);
    return { user, sessionId, accessToken, refreshToken, expiresAt };
  }
}

const shortestPassword = 8;
const longestPassword = 128;

/** Names secrets in a label without telling them. */
const digest = (...parts: string[]) => createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
const secondsFromNow = (seconds: number) => new Date(Math.floor(Date.now() / 1000 + seconds) * 1000);
const normalEmail = (email: string) => email.trim().toLowerCase();
const isEmail = (email: string) => email.length <= 254 && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(email);

function requireEmail(email: string): string {
  const normal = normalEmail(email);
  if (!isEmail(normal)) throw badInput(["input", "email"], "This is not an e-mail address.");
  return normal;
}

function requireName(name: string): string {
  const trimmed = name.trim();
  if (trimmed.length < 1 || trimmed.length > 200 || /[\p{Cc}\p{Cs}]/u.test(trimmed)) {
    throw badInput(["input", "name"], "A name has 1 to 200 characters, none of them control characters.");
  }
  return trimmed;
}

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
