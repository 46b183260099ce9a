/**
 * Finds the viewer of an access token. The token identifies user and session; the database decides whether the session
 * is valid, and which role the user has. Its answer is cached for a few seconds, which saves most operations a
 * statement.
 */
import type { Reader } from "../eager-loading/reader.ts";
import { sql } from "../eager-loading/sql.ts";
import type { Viewer } from "../viewer.ts";
import type { AccessClaims, Tokens } from "./tokens.ts";

const cachedMs = 5_000;
const maxCached = 10_000;

export class Authentication {
  readonly #tokens: Tokens;
  readonly #reads: Reader;
  readonly #cached = new Map<string, { viewer: Promise<Viewer>; until: number }>();

  constructor(tokens: Tokens, reads: Reader) {
    this.#tokens = tokens;
    this.#reads = reads;
  }

  /** Returns null if the token is invalid or its session has ended. */
  async authenticate(token: string): Promise<Viewer> {
    const claims = await this.#tokens.verifyAccess(token);
    return claims ? this.viewerOf(claims) : null;
  }

  /** Returns null if the session has ended. Does not need a valid token. */
  async viewerOf({ userId, sessionId }: AccessClaims): Promise<Viewer> {
    const cached = this.#cached.get(sessionId);
    if (cached && cached.until > Date.now()) return cached.viewer;
    const viewer = this.#find(userId, sessionId);
    if (this.#cached.size >= maxCached) this.#cached.clear();
    this.#cached.set(sessionId, { viewer, until: Date.now() + cachedMs });
    viewer.catch(() => this.#cached.delete(sessionId));
    return viewer;
  }

  /** The user without a session. Returns null if the user does not exist. */
  async userAsViewer(id: string): Promise<Viewer> {
    const [row] = await this.#reads.read(sql`select id, role, '' as "sessionId" from users where id = ${id}::uuid`);
    return (row as Viewer | undefined) ?? null;
  }

  /** Clears the cache after a sign-out or a change of role. Other servers notice it when their entries expire. */
  forget(): void {
    this.#cached.clear();
  }

  async #find(userId: string, sessionId: string): Promise<Viewer> {
    const [row] = await this.#reads.read(sql`
      select u.id, u.role, s.id as "sessionId" from sessions s join users u on u.id = s.user_id
      where s.id = ${sessionId}::uuid and s.user_id = ${userId}::uuid and s.revoked_at is null and s.expires_at > now()`);
    return (row as Viewer | undefined) ?? null;
  }
}
