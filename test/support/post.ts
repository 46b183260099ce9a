/** GraphQL over HTTP, for tests that look at the status and the headers of the answer, or at how it comes. */
export type Posting = {
  query: string;
  variables?: object;
  /** Of whoever asks. Nobody, when there is none. */
  accessToken?: string | null;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

export function post(url: string, { query, variables, accessToken, headers, signal }: Posting): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(accessToken && { authorization: `Bearer ${accessToken}` }),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
    signal,
  });
}
