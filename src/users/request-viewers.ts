/** Finds the viewer of a request by its bearer token or session cookie. */
import type { Viewer, Viewers } from "../viewer.ts";
import type { Authentication } from "./authentication.ts";
import { parseCookies } from "./cookies.ts";

export class RequestViewers implements Viewers {
  readonly #authentication: Authentication;
  readonly #isSecure: boolean;
  readonly #listeners: (() => void)[] = [];

  /** @param isSecure true if clients reach the server over TLS; the names of cookies depend on it */
  constructor(authentication: Authentication, isSecure: boolean) {
    this.#authentication = authentication;
    this.#isSecure = isSecure;
  }

  async ofRequest({ headers }: Pick<Request, "headers">): Promise<{ viewer: Viewer; hasBadToken: boolean }> {
    const bearer = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "")?.[1];
    if (bearer !== undefined) {
      const viewer = await this.#authentication.authenticate(bearer);
      return { viewer, hasBadToken: viewer === null };
    }
    const { access } = parseCookies(headers.get("cookie"), this.#isSecure);
    // Not a bad token, because browsers send expired sessions' cookies without the user's action.
    return {
      viewer: access === undefined ? null : await this.#authentication.authenticate(access),
      hasBadToken: false,
    };
  }

  reload({ id: userId, sessionId }: NonNullable<Viewer>): Promise<Viewer> {
    return this.#authentication.viewerOf({ userId, sessionId });
  }

  ofUser(id: string): Promise<Viewer> {
    return this.#authentication.userAsViewer(id);
  }

  forget(): void {
    this.#authentication.forget();
    for (const listener of this.#listeners) listener();
  }

  onForget(listener: () => void): void {
    this.#listeners.push(listener);
  }
}
