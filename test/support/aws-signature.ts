/** Checks signatures of Amazon's version 4, in the header or in the address. */
import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

export type Login = { accessKeyId: string; secretAccessKey: string };

/** Whether the request was signed with the login, and its address has not expired. The hash of the body is not checked. */
export function isSigned(
  { method, url = "", headers }: IncomingMessage,
  { accessKeyId, secretAccessKey }: Login,
): boolean {
  const [path = "", query = ""] = url.split("?");
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    const [name = "", value = ""] = pair.split("=", 2);
    if (name !== "") parameters.set(name, value);
  }
  const inUrl = (name: string) => decodeURIComponent(parameters.get(`X-Amz-${name}`) ?? "");
  const inHeader = (name: string) => new RegExp(`${name}=([^, ]+)`).exec(headers.authorization ?? "")?.[1] ?? "";
  const isInUrl = parameters.has("X-Amz-Signature");
  const given = isInUrl ? inUrl : inHeader;

  const signedHeaders = given("SignedHeaders");
  const date = isInUrl ? inUrl("Date") : String(headers["x-amz-date"]);
  const [login, ...scope] = given("Credential").split("/");
  const canonical = [
    method,
    path,
    [...parameters]
      .filter(([name]) => name !== "X-Amz-Signature")
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join("&"),
    ...signedHeaders.split(";").map((name) => `${name}:${String(headers[name] ?? "").trim()}`),
    "",
    signedHeaders,
    isInUrl ? "UNSIGNED-PAYLOAD" : headers["x-amz-content-sha256"],
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), createHash("sha256").update(canonical).digest("hex")].join(
    "\n",
  );
  const key = scope.reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secretAccessKey}`);
  const ends = isInUrl ? timeOf(date) + 1_000 * Number(inUrl("Expires")) : Number.POSITIVE_INFINITY;
  return login === accessKeyId && hmac(key, text).toString("hex") === given("Signature") && Date.now() < ends;
}

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** 20261127T123456Z, in milliseconds. */
const timeOf = (date: string) =>
  Date.parse(date.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, "$1-$2-$3T$4:$5:$6Z"));
