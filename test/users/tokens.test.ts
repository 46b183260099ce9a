/** Access tokens that differ from a valid one in one thing each, signed with the key of the server. */
import { hkdfSync } from "node:crypto";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { Tokens } from "../../src/users/tokens.ts";
import { secret } from "../support/secret.ts";

const issuer = "http://lectern.test";
const options = { secret, issuer, accessSeconds: 60, refreshSeconds: 600 };
const tokens = new Tokens(options);
const claims = { userId: "a user", sessionId: "a session" };
const inAMinute = () => new Date(Date.now() + 60_000);

type Parts = { typ?: string; alg?: string; iss?: string; aud?: string; sub?: string; sid?: unknown; exp?: Date };

/** A valid token, apart from the given parts. */
function sign({ typ = "at+jwt", alg = "HS256", iss = issuer, aud = issuer, ...rest }: Parts): Promise<string> {
  const { sub = claims.userId, sid = claims.sessionId, exp = inAMinute() } = rest;
  const key = new Uint8Array(hkdfSync("sha256", secret, "", "lectern access token", 32));
  return new SignJWT({ sid, sub, iss, aud }).setProtectedHeader({ alg, typ }).setExpirationTime(exp).sign(key);
}

describe("an access token", () => {
  it("names user and session", async () => {
    expect(await tokens.verifyAccess(await tokens.signAccess(claims, inAMinute()))).toEqual(claims);
    expect(await tokens.verifyAccess(await sign({}))).toEqual(claims);
  });

  it.each<[string, Parts]>([
    ["of another issuer", { iss: "http://other.test" }],
    ["for another audience", { aud: "http://other.test" }],
    ["of another type", { typ: "JWT" }],
    ["with another algorithm", { alg: "HS512" }],
    ["that has expired", { exp: new Date(Date.now() - 1_000) }],
    ["whose session is no text", { sid: 1 }],
  ])("%s is invalid", async (_difference, parts) => {
    expect(await tokens.verifyAccess(await sign(parts))).toBeUndefined();
  });

  it("of a server with the same secret and another address is invalid", async () => {
    const other = new Tokens({ ...options, issuer: "http://other.test" });
    const token = await other.signAccess(claims, inAMinute());
    expect(await other.verifyAccess(token)).toEqual(claims);
    expect(await tokens.verifyAccess(token)).toBeUndefined();
  });
});
