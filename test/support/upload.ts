import { print } from "graphql";
import { graphql } from "./client/generated/gql.ts";
import type { UploadMutation, UploadMutationVariables } from "./client/generated/graphql.ts";
import type { Lectern, Person, ShownError } from "./lectern.ts";
import type { Posting } from "./post.ts";

export type Uploaded = { status: number; data?: UploadMutation | null; errors?: ShownError[] };

const Upload = graphql(`
  mutation Upload($input: CreateDocumentInput!) {
    createDocument(input: $input) { document { id title } }
  }
`);

/** An operation with a variable `$file: File!`, as the GraphQL multipart request specification sends it. */
export function formOf(query: string, file: File): FormData {
  const form = new FormData();
  form.set("operations", JSON.stringify({ query, variables: { file: null } }));
  form.set("map", JSON.stringify({ 0: ["variables.file"] }));
  form.set("0", file);
  return form;
}

/** Sends it. */
export function postFile(
  url: string,
  { query, file, accessToken, headers }: { query: string; file: File } & Pick<Posting, "accessToken" | "headers">,
): Promise<Response> {
  const authorization = accessToken && { authorization: `Bearer ${accessToken}` };
  return fetch(url, { method: "POST", body: formOf(query, file), headers: { ...authorization, ...headers } });
}

/** Creates a document from a file, as the GraphQL multipart request specification sends it. */
export async function upload({ url }: Lectern, { accessToken }: Person, file: File): Promise<Uploaded> {
  const variables: UploadMutationVariables = { input: { source: { file } } };
  const form = new FormData();
  const withoutFiles = (_key: string, value: unknown) => (value instanceof File ? null : value);
  form.set("operations", JSON.stringify({ query: print(Upload), variables }, withoutFiles));
  form.set("map", JSON.stringify({ 0: ["variables.input.source.file"] }));
  form.set("0", file);
  const headers = { authorization: `Bearer ${accessToken}`, "graphql-require-preflight": "1" };
  const response = await fetch(url, { method: "POST", body: form, headers });
  return { status: response.status, ...((await response.json()) as Omit<Uploaded, "status">) };
}

/** Sends an operation with a variable `$input` whose `source` is the file. */
export async function sendSource<Data>(
  { url }: Pick<Lectern, "url">,
  { accessToken }: Pick<Person, "accessToken">,
  { query, input, file, headers }: { query: string; input?: object; file: File; headers?: Record<string, string> },
): Promise<{ status: number; data?: Data | null; errors?: ShownError[] }> {
  const form = new FormData();
  form.set("operations", JSON.stringify({ query, variables: { input: { ...input, source: { file: null } } } }));
  form.set("map", JSON.stringify({ 0: ["variables.input.source.file"] }));
  form.set("0", file);
  const all = { authorization: `Bearer ${accessToken}`, "graphql-require-preflight": "1", ...headers };
  const response = await fetch(url, { method: "POST", body: form, headers: all });
  return { status: response.status, ...((await response.json()) as { data?: Data; errors?: ShownError[] }) };
}
