/** The rules of accounts by themselves: no database, no GraphQL, no hashing. */
import { describe, expect, it } from "vitest";
import type { UserRow } from "../../src/database/generated/tables.ts";
import { Tokens } from "../../src/users/tokens.ts";
import type { SessionRepository, UserRepository } from "../../src/users/user.repository.ts";
import { UserService } from "../../src/users/user.service.ts";

function accountsInMemory(rows: Pick<UserRow, "id" | "role">[]) {
  const users: Partial<UserRepository> = {
    lockAdmins: async () => rows.flatMap(({ id, role }) => (role === "ADMIN" ? [id] : [])).sort(),
    find: async (id) => (rows.find((row) => row.id === id) as UserRow | undefined) ?? null,
    async setRole(id, role) {
      const row = rows.find((each) => each.id === id) as UserRow;
      row.role = role;
      return row;
    },
  };
  const effects: string[] = [];
  const service = new UserService({
    uow: {
      users: users as UserRepository,
      sessions: {} as SessionRepository,
      prepare: <Result>(_label: string, make: () => Promise<Result>) => make(),
      afterCommit: () => void effects.push("after commit"),
      afterAbort: () => void effects.push("after abort"),
    },
    passwords: { hash: async (password) => password, verify: async (hash, password) => hash === password },
    tokens: new Tokens({ secret: "s".repeat(32), issuer: "http://test", accessSeconds: 60, refreshSeconds: 60 }),
    isSignUpOpen: false,
    endSession: async () => {},
    forgetSessions: () => {},
  });
  const as = (id: string) => ({ id, role: "ADMIN" as const, sessionId: "s" });
  return { service, effects, rows, as };
}

describe("the rule that there is always an admin", () => {
  it("lets all but the last go", async () => {
    const { service, as, rows, effects } = accountsInMemory([
      { id: "ada", role: "ADMIN" },
      { id: "bob", role: "ADMIN" },
    ]);
    await service.setRole(as("ada"), "bob", "VIEWER");
    expect(effects).toEqual(["after commit"]);
    await expect(service.setRole(as("ada"), "ada", "EDITOR")).rejects.toMatchObject({ code: "INVALID_STATE" });
    // Whoever was admin when the request came, but is not under the lock, changes nothing.
    await expect(service.setRole(as("bob"), "ada", "VIEWER")).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(rows.map(({ role }) => role)).toEqual(["ADMIN", "VIEWER"]);
    expect(effects).toEqual(["after commit"]);
  });
});

describe("the rule that sign-up can be closed", () => {
  it("refuses before anything slow is done", async () => {
    const { service } = accountsInMemory([]);
    const signUp = { email: "a@b", name: "A", password: "a good password" };
    await expect(service.prepareSignUp(signUp)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(service.signUp(signUp)).rejects.toMatchObject({ code: "FORBIDDEN" });
  });
});
