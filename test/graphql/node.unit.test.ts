/** The rows that a plan reads for `node` and `nodes`, found in their arguments alone. */
import { describe, expect, it } from "vitest";
import { documentById } from "../../src/documents/document.relations.ts";
import { eagerOf, type Lookup } from "../../src/eager-loading/field.ts";
import { encodeGlobalId } from "../../src/graphql/global-id.ts";
import { buildSchema } from "../../src/graphql/schema.ts";
import { slices } from "../../src/slices.ts";
import { userById } from "../../src/users/user.relations.ts";

const schema = await buildSchema(slices);
const uuid = (last: number) => `01890000-0000-7000-8000-${String(last).padStart(12, "0")}`;
const [document, user] = ["Document", "User"].map((type) => (last: number) => encodeGlobalId(type, uuid(last)));

function lookups(name: "node" | "nodes", args: object): Lookup[] {
  const field = schema.getQueryType()?.getFields()[name];
  const eager = field && eagerOf(field);
  if (eager?.kind !== "lookup") throw new Error(`${name} is no lookup.`);
  return eager.find(args as never, null, schema);
}

describe("a node", () => {
  it("is read by the relation of its type", () => {
    expect(lookups("node", { id: document?.(1) })).toEqual([
      { relation: documentById, typename: "Document", keys: [uuid(1)] },
    ]);
  });

  it("is none of a type without global ids", () => {
    for (const type of ["DocumentConnection", "Query", "String", "Nothing", "constructor"]) {
      expect(() => lookups("node", { id: encodeGlobalId(type, uuid(1)) })).toThrow(
        expect.objectContaining({ code: "BAD_USER_INPUT", details: { inputPath: ["id"] } }),
      );
    }
  });
});

describe("nodes", () => {
  it("are one lookup for each type, with all of its keys", () => {
    const ids = [document?.(1), user?.(2), document?.(3), document?.(1)];
    expect(lookups("nodes", { ids })).toEqual([
      { relation: documentById, typename: "Document", keys: [uuid(1), uuid(3), uuid(1)] },
      { relation: userById, typename: "User", keys: [uuid(2)] },
    ]);
    expect(lookups("nodes", { ids: [] })).toEqual([]);
  });

  it("are 100 at most", () => {
    const ids = Array.from({ length: 101 }, (_, index) => document?.(index));
    expect(lookups("nodes", { ids: ids.slice(1) })[0]?.keys).toHaveLength(100);
    expect(() => lookups("nodes", { ids })).toThrow("At most 100 ids, not 101.");
  });

  it("are refused for one wrong id, at its place", () => {
    expect(() => lookups("nodes", { ids: [document?.(1), "wrong"] })).toThrow(
      expect.objectContaining({ code: "BAD_USER_INPUT", details: { inputPath: ["ids", "1"] } }),
    );
  });
});
