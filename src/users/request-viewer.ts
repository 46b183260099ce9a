/** From the headers of a request to its viewer: by a bearer token, or by the session's cookie. */

import type { Viewer } from "../viewer.ts";
import type { Authentication } from "./authentication.ts";
import { parseCookies } from "./cookies.ts";

/** `hasBadToken` is true for a bearer token that is not good; an old cookie is sent without its user's doing. */
export async function viewerOfRequest(
  authentication: Authentication,
  { headers }: Pick<Request, "headers">,
  isSecure: boolean,
): Promise<{ viewer: Viewer; hasBadToken: boolean }> {
  const bearer = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (bearer !== undefined) {
    const viewer = await authentication.authenticate(bearer);
    return { viewer, hasBadToken: viewer === null };
  }
  const { access } = parseCookies(headers.get("cookie"), isSecure);
  return { viewer: access === undefined ? null : await authentication.authenticate(access), hasBadToken: false };
}
