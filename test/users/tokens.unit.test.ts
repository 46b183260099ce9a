import { createHash } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeRefreshToken, matchesRefreshHash, sessionOfRefreshToken, Tokens } from "../../src/users/tokens.ts";

const options = {
  secret: "s".repeat(32),
  issuer: "https://lectern.test",
  accessSeconds: 900,
  refreshSeconds: 2_592_000,
};
const claims = { userId: "user-1", sessionId: "session-1" };
const inAnHour = () => new Date(Date.now() + 3_600_000);

afterEach(() => void vi.useRealTimers());

describe("an access token", () => {
  it("says for whom it is, from whom and until when", async () => {
    vi.useFakeTimers({ now: new Date("2026-11-21T09:00:00Z") });
    const token = await new Tokens(options).signAccess(claims, new Date("2026-11-21T09:15:00Z"));
    expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "at+jwt" });
    expect(decodeJwt(token)).toEqual({
      sid: "session-1",
      sub: "user-1",
      iss: "https://lectern.test",
      aud: "https://lectern.test",
      iat: Date.parse("2026-11-21T09:00:00Z") / 1_000,
      exp: Date.parse("2026-11-21T09:15:00Z") / 1_000,
    });
  });

  it("is valid on all servers with the same secret and address, until it expires", async () => {
    vi.useFakeTimers({ now: new Date("2026-11-21T09:00:00Z") });
    const token = await new Tokens(options).signAccess(claims, new Date("2026-11-21T09:15:00Z"));
    vi.setSystemTime(new Date("2026-11-21T09:14:59Z"));
    expect(await new Tokens(options).verifyAccess(token)).toEqual(claims);
    vi.setSystemTime(new Date("2026-11-21T09:15:00Z"));
    expect(await new Tokens(options).verifyAccess(token)).toBeUndefined();
  });

  it("stays valid from one version of the program to the next", async () => {
    vi.useFakeTimers({ now: new Date("2026-11-21T09:10:00Z") });
    const [head, body, signature] = [
      "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9",
      "eyJzaWQiOiJzZXNzaW9uLTEiLCJzdWIiOiJ1c2VyLTEiLCJpc3MiOiJodHRwczovL2xlY3Rlcm4udGVzdCIsImF1ZCI6Imh0dHBzOi8vbGVjdGVybi50ZXN0IiwiaWF0IjoxNzk1MjUxNjAwLCJleHAiOjE3OTUyNTI1MDB9",
      "hymBaMC4dzMubZoeLctHnrsgH2-X2lW9Ny8DVWeDOCg",
    ];
    expect(await new Tokens(options).verifyAccess([head, body, signature].join("."))).toEqual(claims);
  });

  it("is invalid with another secret or address, if it is changed, or if it is no token", async () => {
    const tokens = new Tokens(options);
    const token = await tokens.signAccess(claims, inAnHour());
    expect(await new Tokens({ ...options, secret: "t".repeat(32) }).verifyAccess(token)).toBeUndefined();
    expect(await new Tokens({ ...options, issuer: "https://other.test" }).verifyAccess(token)).toBeUndefined();
    expect(await tokens.verifyAccess(`${token.slice(0, -2)}AA`)).toBeUndefined();
    expect(await tokens.verifyAccess("")).toBeUndefined();
  });

  it("is invalid if another program signed it with the same secret", async () => {
    const { issuer, secret } = options;
    const other = await new SignJWT({ sid: "session-1", sub: "user-1", iss: issuer, aud: issuer })
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
      .setExpirationTime(inAnHour())
      .sign(Buffer.from(secret));
    expect(await new Tokens(options).verifyAccess(other)).toBeUndefined();
  });

  it("is invalid without a session", async () => {
    const tokens = new Tokens(options);
    for (const sessionId of [undefined, 1]) {
      const token = await tokens.signAccess({ ...claims, sessionId } as never, inAnHour());
      expect(await tokens.verifyAccess(token)).toBeUndefined();
    }
  });

  it("keeps its lifetimes for those who make sessions", () => {
    const { accessSeconds, refreshSeconds } = new Tokens(options);
    expect({ accessSeconds, refreshSeconds }).toEqual({ accessSeconds: 900, refreshSeconds: 2_592_000 });
  });
});

describe("a refresh token", () => {
  const sessionId = "0199c0de-1234-7abc-8def-0123456789ab";

  it("names its session, holds 32 random bytes, and is kept as a hash only", () => {
    const { token, hash } = makeRefreshToken(sessionId);
    expect(token).toMatch(new RegExp(`^${sessionId}\\.[\\w-]{43}$`));
    expect(hash).toBe(createHash("sha256").update(token).digest("hex"));
    expect(sessionOfRefreshToken(token)).toBe(sessionId);
    expect(makeRefreshToken(sessionId).token).not.toBe(token);
  });

  it("matches its own hash, and no other", () => {
    const { token, hash } = makeRefreshToken(sessionId);
    expect(matchesRefreshHash(token, hash)).toBe(true);
    expect(matchesRefreshHash(makeRefreshToken(sessionId).token, hash)).toBe(false);
  });

  it("is recognised by its form alone", () => {
    const random = "A".repeat(43);
    const others = [
      "",
      sessionId,
      `${sessionId}.`,
      `${sessionId}.${random}A`,
      `${sessionId}.${random.slice(1)}`,
      `x${sessionId}.${random}`,
      `${sessionId}.${random} `,
      `${sessionId.toUpperCase()}.${random}`,
      `${sessionId.replace("-", "")}.${random}`,
      `${sessionId}-${random}`,
      `${sessionId}.${"!".repeat(43)}`,
    ];
    expect(sessionOfRefreshToken(`${sessionId}.${random}`)).toBe(sessionId);
    for (const other of others) expect(sessionOfRefreshToken(other)).toBeUndefined();
  });
});
