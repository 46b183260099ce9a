/** The rules of accounts and sessions. */
import { randomUUID } from "node:crypto";
import type { Role } from "../database/generated/prisma/enums.ts";
import type { UserRow } from "../database/generated/tables.ts";
import { ApplicationError } from "../errors.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import type { Viewer } from "../viewer.ts";
import type { Passwords } from "./passwords.ts";
import { makeRefreshToken, matchesRefreshHash, sessionOfRefreshToken, type Tokens } from "./tokens.ts";
import {
  createUser,
  digest,
  isEmail,
  longestPassword,
  normalEmail,
  prepareUser,
  type SignUp,
} from "./user.creation.ts";
import type { SessionRepository, UserRepository } from "./user.repository.ts";

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
  /** Ends a session in its own unit of work. */
  endSession: (sessionId: string) => Promise<void>;
  /** Clears the cache of sessions. */
  forgetSessions: () => void;
};

export class UserService {
  readonly #parts: UserServiceParts;

  constructor(parts: UserServiceParts) {
    this.#parts = parts;
  }

  async signUp(input: SignUp): Promise<SignedIn> {
    this.#requireOpenSignUp();
    return this.#startSession(await createUser(this.#parts, input, "VIEWER"));
  }

  /** Slow part of `signUp`: runs once, before the transaction. */
  async prepareSignUp(input: SignUp): Promise<void> {
    this.#requireOpenSignUp();
    await prepareUser(this.#parts, input);
  }

  /** Creates an account without signing in. */
  createUser(input: SignUp, role: Role): Promise<UserRow> {
    return createUser(this.#parts, input, role);
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

  /** Slow part of `signIn`. Throws when sign-in will fail, to skip the remaining preparations. */
  async prepareSignIn(input: SignIn): Promise<void> {
    if (!(await this.#checkPassword(input)).isRight) throw new Error("The sign-in will fail.");
  }

  /** @param token the refresh token, which is valid once: reuse ends its session */
  async refresh(token: string): Promise<SignedIn> {
    const { uow, tokens, endSession } = this.#parts;
    const ended = new ApplicationError("UNAUTHENTICATED", "The session has ended: sign in again.");
    const sessionId = sessionOfRefreshToken(token);
    if (!sessionId) throw ended;
    const session = await uow.sessions.lock(sessionId);
    if (!session || session.revokedAt || session.expiresAt.getTime() <= Date.now()) throw ended;
    if (!matchesRefreshHash(token, session.refreshHash)) {
      // Reuse indicates a stolen token. The refusal rolls this unit of work back, so another one ends the session.
      uow.afterAbort(() => endSession(sessionId));
      throw ended;
    }
    const user = await uow.users.find(session.userId);
    if (!user) throw ended;
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
      throw new ApplicationError("NOT_FOUND", "The user does not exist.", { inputPath: ["input", "userId"] });
    }
    if (role !== "ADMIN" && admins.length === 1 && admins[0] === userId) {
      throw new ApplicationError("INVALID_STATE", "The last admin must stay admin.", { inputPath: ["input", "role"] });
    }
    uow.afterCommit(forgetSessions);
    return uow.users.setRole(userId, role);
  }

  #requireOpenSignUp(): void {
    if (!this.#parts.isSignUpOpen)
      throw new ApplicationError("FORBIDDEN", "Sign-up is closed: an admin creates new accounts.");
  }

  async #checkPassword(input: SignIn): Promise<{ found: { id: string } | null; isRight: boolean }> {
    const { uow, passwords } = this.#parts;
    const email = normalEmail(input.email);
    // Skips the query for invalid addresses, which PostgreSQL may reject (NUL).
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

const secondsFromNow = (seconds: number) => new Date(Math.floor(Date.now() / 1000 + seconds) * 1000);
