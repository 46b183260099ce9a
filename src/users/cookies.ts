/** The session's two tokens as HttpOnly cookies. */
import { parseCookie, stringifySetCookie } from "cookie";

export type SessionTokens = { accessToken: string; refreshToken: string; expiresAt: Date };

/** The prefix `__Host-` restricts a cookie to this host, and requires TLS. */
const nameOf = (kind: "access" | "refresh", isSecure: boolean) => `${isSecure ? "__Host-" : ""}lectern-${kind}`;

/** @param tokens null to delete the cookies */
export function sessionCookies(tokens: SessionTokens | null, isSecure: boolean): string[] {
  const options = { httpOnly: true, secure: isSecure, sameSite: "lax", path: "/" } as const;
  const gone = new Date(0);
  return [
    stringifySetCookie({
      name: nameOf("access", isSecure),
      value: tokens?.accessToken ?? "",
      ...options,
      expires: tokens?.expiresAt ?? gone,
    }),
    stringifySetCookie({
      name: nameOf("refresh", isSecure),
      value: tokens?.refreshToken ?? "",
      ...options,
      ...(tokens ? {} : { expires: gone }),
    }),
  ];
}

export function parseCookies(header: string | null, isSecure: boolean): { access?: string; refresh?: string } {
  const cookies = parseCookie(header ?? "");
  return { access: cookies[nameOf("access", isSecure)], refresh: cookies[nameOf("refresh", isSecure)] };
}
