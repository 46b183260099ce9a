/** Requests whose size costs more than their bytes, if a server lets it: of a size of the test's choosing. */

export type HostileRequest = { method?: string; headers?: Record<string, string>; body: string | FormData };

const json = { "content-type": "application/json" };

export const operation = (query: string, variables: unknown = {}, headers: Record<string, string> = {}) => ({
  headers: { ...json, ...headers },
  body: JSON.stringify({ query, variables }),
});

const times = (count: number, make: (index: number) => string, separator = " ") =>
  Array.from({ length: count }, (_, index) => make(index)).join(separator);

/** Fragments, each of which spreads the next one twice. */
export function doublingFragments(
  levels: number,
  kind = "mutation",
  type = "Mutation",
  leaf = "signOut { ok }",
): string {
  const fragments = times(levels, (n) => `fragment F${n} on ${type} { ...F${n + 1} ...F${n + 1} }`);
  return `${kind} { ...F0 } ${fragments} fragment F${levels} on ${type} { ${leaf} }`;
}

/** The same with a condition at each spread, so that no two of them are equal. */
export function conditionalFragments(levels: number): string {
  const variables = times(levels, (n) => `$v${n}: Boolean!`);
  const fragments = times(
    levels,
    (n) => `fragment F${n} on Mutation { ...F${n + 1} @include(if: $v${n}) ...F${n + 1} @skip(if: $v${n}) }`,
  );
  return `mutation(${variables}) { ...F0 } ${fragments} fragment F${levels} on Mutation { signOut { ok } }`;
}

/** Fragments, each of which spreads the next one below two fields. */
export function branchingFragments(levels: number): string {
  const fragments = times(
    levels,
    (n) => `fragment F${n} on __Type { a: ofType { ...F${n + 1} } b: ofType { ...F${n + 1} } }`,
  );
  return `{ __type(name: "User") { ...F0 } } ${fragments} fragment F${levels} on __Type { name }`;
}

/** Each fragment spreads all that follow it. */
export function fragmentsOfAll(count: number): string {
  const spreads = (n: number) => times(count - n - 1, (more) => `...F${n + more + 1}`);
  return `mutation { ...F0 } ${times(count, (n) => `fragment F${n} on Mutation { signOut { ok } ${spreads(n)} }`)}`;
}

/** Fields of one name whose selections must be compared with each other. */
export const sameFields = (count: number) => `{ ${times(count, () => "viewer { user { id } }")} }`;
export const conflictingFields = (count: number) =>
  `{ ${times(count, (n) => `documents(first: ${n}) { ${n % 2 ? "a: totalCount" : "a: nodes { id }"} }`)} }`;
export const unknownFields = (count: number) => `{ ${times(count, (n) => `unknown${n}`)} }`;
export const wideIntrospection = (count: number) =>
  `{ __schema { types { ${times(count, (n) => `f${n}: fields { type { fields { name } } }`)} } } }`;

export const createDocument =
  "mutation($input: CreateDocumentInput!) { createDocument(input: $input) { isDuplicate } }";
export const nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";

export const unknownInputFields = (count: number) => ({
  input: {
    source: { text: "x" },
    ...Object.fromEntries(Array.from({ length: count }, (_, n) => [`unknown${n}`, n])),
  },
});

/** JSON by hand, since JSON.stringify could not make it. */
export function nestedLists(depth: number): HostileRequest {
  const body = `{"query":"{ __typename }","variables":{"list":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
  return { headers: json, body };
}

export function emptyLists(count: number): HostileRequest {
  return { headers: json, body: `{"query":"{ __typename }","variables":{"list":[${"[],".repeat(count)}1]}}` };
}

export const uploadQuery =
  "mutation($file: File!) { createDocument(input: { source: { file: $file } }) { isDuplicate } }";

export function upload(file: Uint8Array<ArrayBuffer> | string, name: string, accessToken: string): HostileRequest {
  const form = new FormData();
  form.set("operations", JSON.stringify({ query: uploadQuery, variables: { file: null } }));
  form.set("map", JSON.stringify({ 0: ["variables.file"] }));
  form.set("0", new File([file], name));
  return { headers: { authorization: `Bearer ${accessToken}`, "graphql-require-preflight": "1" }, body: form };
}
