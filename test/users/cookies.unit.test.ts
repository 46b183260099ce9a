import { describe, expect, it } from "vitest";
import { parseCookies, sessionCookies } from "../../src/users/cookies.ts";

const tokens = { accessToken: "a.b.c", refreshToken: "id.secret", expiresAt: new Date("2026-11-21T09:00:00Z") };

describe("the cookies of a session", () => {
  it("are out of reach for scripts and other sites, and with TLS for other hosts", () => {
    expect(sessionCookies(tokens, true)).toEqual([
      "__Host-lectern-access=a.b.c; Path=/; Expires=Sat, 21 Nov 2026 09:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
      "__Host-lectern-refresh=id.secret; Path=/; HttpOnly; Secure; SameSite=Lax",
    ]);
  });

  it("need no TLS in development", () => {
    expect(sessionCookies(tokens, false)).toEqual([
      "lectern-access=a.b.c; Path=/; Expires=Sat, 21 Nov 2026 09:00:00 GMT; HttpOnly; SameSite=Lax",
      "lectern-refresh=id.secret; Path=/; HttpOnly; SameSite=Lax",
    ]);
  });

  it("are empty and expired at the end of the session", () => {
    expect(sessionCookies(null, false)).toEqual([
      "lectern-access=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
      "lectern-refresh=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
    ]);
  });

  it("are read from the header of a request, by the names that belong to it", () => {
    const header = "theme=dark; __Host-lectern-access=a.b.c; lectern-refresh=id.secret";
    expect(parseCookies(header, true)).toEqual({ access: "a.b.c", refresh: undefined });
    expect(parseCookies(header, false)).toEqual({ access: undefined, refresh: "id.secret" });
    expect(parseCookies(null, true)).toEqual({ access: undefined, refresh: undefined });
  });
});
