/** CSRF protection: a request with cookies must show that it was not made by another site. */

/** Header that forces a CORS preflight on cross-site requests. */
export const preflightHeader = "graphql-require-preflight";

/** Headers, one of which a request needs, because other sites cannot send them. */
export const preflightHeaders = [preflightHeader, "authorization"];

/** True if a browser says that the page is ours. Browsers set this header; pages cannot. */
export const isSameOrigin = (headers: Headers): boolean => headers.get("sec-fetch-site") === "same-origin";
