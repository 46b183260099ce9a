/** The pieces of a multipart request, for tests that write one by hand, as no client of good will would send it. */

export const boundary = "----a-boundary";

export const field = (name: string, value: string) =>
  `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

/** The head of the request, to be followed by its body. */
export function headOf(accessToken: string, headers: Record<string, string | number>): string {
  const all = {
    host: "lectern",
    authorization: `Bearer ${accessToken}`,
    "content-type": `multipart/form-data; boundary=${boundary}`,
    "graphql-require-preflight": "1",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /graphql HTTP/1.1\r\n${lines.join("")}\r\n`;
}
