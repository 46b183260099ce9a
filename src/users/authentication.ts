/**
 * From an access token to a viewer. The token says who; the database says whether the session still stands and which
 * role the user has now. What it said is kept for a few seconds, so that most operations need not ask.
 */
import type { Reader } from "../eager-loading/reader.ts";
import { sql } from "../eager-loading/sql.ts";
import type { Viewer } from "../viewer.ts";
import type { AccessClaims, Tokens } from "./tokens.ts";

const keptMs = 5_000;
const maxKept = 10_000;

export class Authentication {
  readonly #tokens: Tokens;
  readonly #reads: Reader;
  readonly #kept = new Map<string, { viewer: Promise<Viewer>; until: number }>();

  constructor(tokens: Tokens, reads: Reader) {
    this.#tokens = tokens;
    this.#reads = reads;
  }

  /** The viewer, or null when the token is not good or its session is over. */
  async authenticate(token: string): Promise<Viewer> {
    const claims = await this.#tokens.verifyAccess(token);
    return claims ? this.viewerOf(claims) : null;
  }

  /** The viewer of a session, whatever became of the token that began it; null when the session is over. */
  async viewerOf({ userId, sessionId }: AccessClaims): Promise<Viewer> {
    const kept = this.#kept.get(sessionId);
    if (kept && kept.until > Date.now()) return kept.viewer;
    const viewer = this.#find(userId, sessionId);
    if (this.#kept.size >= maxKept) this.#kept.clear();
    this.#kept.set(sessionId, { viewer, until: Date.now() + keptMs });
    viewer.catch(() => this.#kept.delete(sessionId));
    return viewer;
  }

  /** After a sign-out or a change of role, on this server at once and on others within seconds. */
  forget(): void {
    this.#kept.clear();
  }

  async #find(userId: string, sessionId: string): Promise<Viewer> {
    const [row] = await this.#reads.read(sql`
      select u.id, u.role, s.id as "sessionId" from sessions s join users u on u.id = s.user_id
      where s.id = ${sessionId}::uuid and s.user_id = ${userId}::uuid and s.revoked_at is null and s.expires_at > now()`);
    return (row as Viewer | undefined) ?? null;
  }
}
