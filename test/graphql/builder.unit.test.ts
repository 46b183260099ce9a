/** Which viewers may begin which fields, decided without a database. */
import { execute, type GraphQLError, parse } from "graphql";
import { describe, expect, it } from "vitest";
import type { Role } from "../../src/database/generated/prisma/enums.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { ApplicationError } from "../../src/errors.ts";
import type { OperationContext } from "../../src/graphql/context.ts";
import { buildSchema } from "../../src/graphql/schema.ts";
import { slices } from "../../src/slices.ts";

const schema = await buildSchema(slices);
const reached = new Error("The resolver was reached.");

type Client = Pick<OperationContext, "viewer" | "canRead" | "hasBadToken">;
const as = (role: Role): Client => ({
  viewer: { id: "ada", role } as OperationContext["viewer"],
  canRead: true,
  hasBadToken: false,
});
const stranger: Client = { viewer: null, canRead: false, hasBadToken: false };
const guest: Client = { viewer: null, canRead: true, hasBadToken: false };
const expired: Client = { viewer: null, canRead: false, hasBadToken: true };

/** Stands for all loaders and services: whatever a resolver uses first ends it. */
const unreachable = new Proxy(
  {},
  {
    get() {
      throw reached;
    },
  },
);

/** Undefined if the root field's resolver was reached, or else the code of the refusal. */
async function refusal(query: string, client: Client): Promise<{ code?: ErrorCode; begun: unknown[] }> {
  const begun: unknown[] = [];
  const contextValue = {
    ...client,
    request: new Request("http://lectern.test"),
    loaders: { clear: () => {}, one: () => unreachable, page: () => Promise.reject(reached) },
    mutation: { progress: { begun, hasFailed: () => false }, services: unreachable, become: () => {} },
  };
  const { errors } = await execute({ schema, document: parse(query), contextValue });
  const [original] = (errors ?? []).map(({ originalError }: GraphQLError) => originalError);
  if (original instanceof ApplicationError) return { code: original.code, begun };
  if (original && original !== reached) throw original;
  return { begun };
}

const read = "{ documents { nodes { id } } }";
const write = 'mutation { createDocument(input: { source: { text: "x" } }) { isDuplicate } }';
const signIn = 'mutation { signIn(input: { email: "a@b.c", password: "x" }) { accessToken } }';
const setRole = 'mutation { setUserRole(input: { userId: "x", role: ADMIN }) { user { id } } }';
const viewer = "{ viewer { __typename } }";

describe("authorization", () => {
  it.each<[string, Client, Record<string, ErrorCode | undefined>]>([
    ["a stranger", stranger, { [read]: "UNAUTHENTICATED", [write]: "UNAUTHENTICATED", [signIn]: undefined }],
    ["a stranger where reading is public", guest, { [read]: undefined, [write]: "UNAUTHENTICATED" }],
    [
      "a client with a bad token",
      expired,
      { [read]: "UNAUTHENTICATED", [viewer]: "UNAUTHENTICATED", [signIn]: undefined },
    ],
    ["a VIEWER", as("VIEWER"), { [read]: undefined, [write]: undefined, [setRole]: "FORBIDDEN" }],
    ["an EDITOR", as("EDITOR"), { [read]: undefined, [write]: undefined, [setRole]: "FORBIDDEN" }],
    ["an ADMIN", as("ADMIN"), { [read]: undefined, [write]: undefined, [setRole]: undefined }],
  ])("is by what %s may do", async (_case, client, expected) => {
    const codes = await Promise.all(
      Object.keys(expected).map(async (query) => [query, (await refusal(query, client)).code]),
    );
    expect(Object.fromEntries(codes)).toEqual(expected);
  });

  it("counts a refused mutation field as the one at which its operation failed", async () => {
    const { code, begun } = await refusal(write, stranger);
    expect([code, begun]).toEqual(["UNAUTHENTICATED", ["createDocument"]]);
  });
});
