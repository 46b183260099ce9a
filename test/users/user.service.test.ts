/** The rules of accounts, without a database: repositories in memory, a unit of work that only keeps effects. */
import { describe, expect, it } from "vitest";
import type { Role } from "../../src/database/generated/prisma/enums.ts";
import type { SessionRow, UserRow } from "../../src/database/generated/tables.ts";
import type { ApplicationError } from "../../src/errors.ts";
import { Tokens } from "../../src/users/tokens.ts";
import {
  EmailTakenError,
  type NewSession,
  type SessionRepository,
  type UserRepository,
} from "../../src/users/user.repository.ts";
import { UserService } from "../../src/users/user.service.ts";

type StoredUser = UserRow & { passwordHash: string };

class UsersInMemory implements UserRepository {
  readonly rows = new Map<string, StoredUser>();
  /** What was written, in order. */
  readonly writes: string[] = [];

  add(name: string, role: Role): StoredUser {
    const now = new Date(0);
    const id = `user-${this.rows.size + 1}`;
    const email = `${name.toLowerCase()}@lectern.test`;
    const row = { id, email, name, role, version: 1, createdAt: now, updatedAt: now, passwordHash: `hash of ${name}` };
    this.rows.set(id, row);
    return row;
  }

  async create({ email, name, role, passwordHash }: Parameters<UserRepository["create"]>[0]) {
    if ([...this.rows.values()].some((row) => row.email === email)) throw new EmailTakenError("Taken.");
    this.writes.push(`create ${email}`);
    return Object.assign(this.add(name, role), { email, passwordHash });
  }

  async findCredentials(email: string) {
    return [...this.rows.values()].find((row) => row.email === email) ?? null;
  }

  async find(id: string) {
    return this.rows.get(id) ?? null;
  }

  async lockAdmins() {
    return [...this.rows.values()].filter(({ role }) => role === "ADMIN").map(({ id }) => id);
  }

  async setRole(id: string, role: Role) {
    this.writes.push(`role of ${id}: ${role}`);
    return Object.assign(this.rows.get(id) as StoredUser, { role });
  }

  async setPasswordHash(id: string, passwordHash: string) {
    Object.assign(this.rows.get(id) as StoredUser, { passwordHash });
  }
}

class SessionsInMemory implements SessionRepository {
  readonly rows = new Map<string, SessionRow>();

  async create(session: NewSession) {
    const now = new Date();
    this.rows.set(session.id, { ...session, createdAt: now, refreshedAt: now, revokedAt: null });
  }

  async lock(id: string) {
    return this.rows.get(id) ?? null;
  }

  async rotate(id: string, refreshHash: string, expiresAt: Date) {
    Object.assign(this.rows.get(id) as SessionRow, { refreshHash, expiresAt });
  }

  async revoke(id: string) {
    const session = this.rows.get(id);
    if (session) session.revokedAt ??= new Date();
  }
}

function setUp({ isSignUpOpen = true } = {}) {
  const users = new UsersInMemory();
  const sessions = new SessionsInMemory();
  const ended: string[] = [];
  const afterCommit: (() => unknown)[] = [];
  const afterAbort: (() => unknown)[] = [];
  const verified: (string | null)[] = [];
  let forgotten = 0;
  const service = new UserService({
    uow: {
      users,
      sessions,
      prepare: (_label, make) => make(),
      afterCommit: (effect) => void afterCommit.push(effect),
      afterAbort: (effect) => void afterAbort.push(effect),
    },
    passwords: {
      hash: async (password) => `hash of ${password}`,
      verify: async (expected, password) => {
        verified.push(expected);
        return expected === `hash of ${password}`;
      },
    },
    tokens: new Tokens({
      secret: "a secret that is only for tests",
      issuer: "http://lectern.test",
      accessSeconds: 60,
      refreshSeconds: 600,
    }),
    isSignUpOpen,
    endSession: async (id) => void ended.push(id),
    forgetSessions: () => void forgotten++,
  });
  const run = (effects: (() => unknown)[]) => Promise.all(effects.splice(0).map((effect) => effect()));
  return {
    users,
    sessions,
    service,
    ended,
    verified,
    forgotten: () => forgotten,
    commit: () => run(afterCommit),
    abort: () => run(afterAbort),
  };
}

const as = ({ id, role }: UserRow) => ({ id, role, sessionId: "a session" });
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error("This was expected to be refused.");
    },
    ({ code, details }: ApplicationError) => ({ code, ...details }),
  );

describe("a role", () => {
  it("of the last admin stays, whoever asks", async () => {
    const { users, service } = setUp();
    const ada = users.add("Ada", "ADMIN");
    users.add("Bob", "EDITOR");
    const last = { code: "INVALID_STATE", inputPath: ["input", "role"] };
    expect(await refusal(service.setRole(as(ada), ada.id, "EDITOR"))).toEqual(last);
    expect(await refusal(service.setRole(as(ada), ada.id, "VIEWER"))).toEqual(last);
    expect(users.writes).toEqual([]);
  });

  it("is taken from an admin while there is another, and sessions are forgotten only once that is certain", async () => {
    const { users, service, forgotten, commit } = setUp();
    const [ada, bob] = [users.add("Ada", "ADMIN"), users.add("Bob", "ADMIN")];
    expect(await service.setRole(as(ada), ada.id, "VIEWER")).toMatchObject({ id: ada.id, role: "VIEWER" });
    expect(forgotten()).toBe(0);
    await commit();
    expect(forgotten()).toBe(1);
    expect(await refusal(service.setRole(as(bob), bob.id, "VIEWER"))).toMatchObject({ code: "INVALID_STATE" });
    expect(users.writes).toEqual([`role of ${ada.id}: VIEWER`]);
  });

  it("is given by who is an admin now, not by who was when the request began", async () => {
    const { users, service } = setUp();
    const [ada, bob] = [users.add("Ada", "ADMIN"), users.add("Bob", "VIEWER")];
    const asAdmin = { ...as(bob), role: "ADMIN" as const };
    expect(await refusal(service.setRole(asAdmin, ada.id, "VIEWER"))).toEqual({ code: "FORBIDDEN" });
    expect(await refusal(service.setRole(null, bob.id, "ADMIN"))).toEqual({ code: "FORBIDDEN" });
    expect(users.writes).toEqual([]);
  });

  it("is of a user that exists", async () => {
    const { users, service } = setUp();
    const ada = users.add("Ada", "ADMIN");
    const notFound = { code: "NOT_FOUND", inputPath: ["input", "userId"] };
    expect(await refusal(service.setRole(as(ada), "nobody", "EDITOR"))).toEqual(notFound);
  });
});

describe("an account", () => {
  const input = { email: " New@Lectern.Test", name: " New ", password: "a good password" };

  it("is made with what was normalised, hashed, and a first session", async () => {
    const { users, sessions, service } = setUp();
    const { user, sessionId } = await service.signUp(input);
    expect(users.rows.get(user.id)).toMatchObject({
      email: "new@lectern.test",
      name: "New",
      role: "VIEWER",
      passwordHash: "hash of a good password",
    });
    expect(sessions.rows.get(sessionId)).toMatchObject({ userId: user.id, revokedAt: null });
  });

  it("is refused for an e-mail that is taken, and starts no session", async () => {
    const { users, sessions, service } = setUp();
    users.add("New", "VIEWER");
    expect(await refusal(service.signUp(input))).toEqual({ code: "DUPLICATE", inputPath: ["input", "email"] });
    expect([users.writes, sessions.rows.size]).toEqual([[], 0]);
  });

  it("is made by an admin's hand alone where sign-up is closed", async () => {
    const { users, service } = setUp({ isSignUpOpen: false });
    expect(await refusal(service.signUp(input))).toEqual({ code: "FORBIDDEN" });
    expect(users.writes).toEqual([]);
    expect(await service.createUser(input, "ADMIN")).toMatchObject({ email: "new@lectern.test", role: "ADMIN" });
  });
});

describe("a sign-in", () => {
  it("verifies a password also where there is no account, so that time does not tell", async () => {
    const { users, sessions, service, verified } = setUp();
    const ada = users.add("Ada", "VIEWER");
    const wrong = { code: "UNAUTHENTICATED", inputPath: ["input"] };
    expect(await refusal(service.signIn({ email: "nobody@lectern.test", password: "Ada" }))).toEqual(wrong);
    expect(await refusal(service.signIn({ email: ada.email, password: "Bob" }))).toEqual(wrong);
    expect(verified).toEqual([null, "hash of Ada"]);
    expect(sessions.rows.size).toBe(0);
    expect((await service.signIn({ email: ada.email, password: "Ada" })).user.id).toBe(ada.id);
  });
});

describe("a refresh token", () => {
  it("is good once; an old one ends the session, in work of its own after this one is undone", async () => {
    const { users, service, ended, abort } = setUp();
    const ada = users.add("Ada", "VIEWER");
    const { sessionId, refreshToken: first } = await service.signIn({ email: ada.email, password: "Ada" });
    const { refreshToken: second } = await service.refresh(first);
    expect(second).not.toBe(first);
    expect(await refusal(service.refresh(first))).toEqual({ code: "UNAUTHENTICATED" });
    expect(ended).toEqual([]);
    await abort();
    expect(ended).toEqual([sessionId]);
  });

  it("ends no session when it is nobody's", async () => {
    const { service, ended, abort } = setUp();
    for (const token of ["", "x", `01890000-0000-7000-8000-000000000000.${"x".repeat(43)}`]) {
      expect(await refusal(service.refresh(token))).toEqual({ code: "UNAUTHENTICATED" });
    }
    await abort();
    expect(ended).toEqual([]);
  });
});
