/** Access tokens (signed, short-lived) and refresh tokens (random, used once). */
import { createHash, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";

export type TokenOptions = {
  secret: string;
  /** The server's public address: issuer and audience of tokens. */
  issuer: string;
  accessSeconds: number;
  refreshSeconds: number;
};

export type AccessClaims = { userId: string; sessionId: string };

export class Tokens {
  readonly refreshSeconds: number;
  readonly accessSeconds: number;
  readonly #key: Uint8Array;
  readonly #issuer: string;

  constructor({ secret, issuer, accessSeconds, refreshSeconds }: TokenOptions) {
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", "lectern access token", 32));
    this.#issuer = issuer;
    this.accessSeconds = accessSeconds;
    this.refreshSeconds = refreshSeconds;
  }

  signAccess({ userId, sessionId }: AccessClaims, expiresAt: Date): Promise<string> {
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
      .setSubject(userId)
      .setIssuer(this.#issuer)
      .setAudience(this.#issuer)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(this.#key);
  }

  /** Claims of a valid token; undefined otherwise. */
  async verifyAccess(token: string): Promise<AccessClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: ["HS256"],
        typ: "at+jwt",
        issuer: this.#issuer,
        audience: this.#issuer,
      });
      const { sub, sid } = payload;
      return typeof sub === "string" && typeof sid === "string" ? { userId: sub, sessionId: sid } : undefined;
    } catch {
      return undefined;
    }
  }
}

/** The token contains its session's id, so that a token that was already used is recognised. */
export function makeRefreshToken(sessionId: string): { token: string; hash: string } {
  const token = `${sessionId}.${randomBytes(32).toString("base64url")}`;
  return { token, hash: hashRefreshToken(token) };
}

export function sessionOfRefreshToken(token: string): string | undefined {
  return /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[\w-]{43}$/.exec(token)?.[1];
}

export function matchesRefreshHash(token: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashRefreshToken(token)), Buffer.from(hash));
}

function hashRefreshToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
