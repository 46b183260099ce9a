/** The Pothos builder, with the plugins, scalars and defaults of all types. */
import SchemaBuilder from "@pothos/core";
import ComplexityPlugin from "@pothos/plugin-complexity";
import PrismaPlugin from "@pothos/plugin-prisma";
import RelayPlugin from "@pothos/plugin-relay";
import ScopeAuthPlugin from "@pothos/plugin-scope-auth";
import { getDatamodel } from "../database/generated/pothos.ts";
import { eagerOf } from "../eager-loading/field.ts";
import { ApplicationError } from "../errors.ts";
import { hasRole } from "../viewer.ts";
import type { BuilderTypes } from "./builder-types.ts";
import { encodeGlobalId } from "./global-id.ts";
import "./mutation-field-plugin.ts";
import "./relation-fields.ts";
import "./row-node.ts";

export const builder = new SchemaBuilder<BuilderTypes>({
  // The outermost plugin comes first: an unauthorized mutation field counts as begun, and its operation fails there.
  plugins: ["mutationFields", ScopeAuthPlugin, RelayPlugin, PrismaPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  relay: {
    cursorType: "String",
    nodesOnConnection: { description: "The rows of the page, in order." },
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, String(id)),
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodeTypeOptions: {
      description: "Any object with a global id, by which `node` and `nodes` find it. Ids are opaque.",
    },
    idFieldOptions: { description: "Opaque, permanent, and unique across all types." },
    edgesFieldOptions: { nullable: false, description: "The rows of the page with their cursors, in order." },
    nodeFieldOptions: { nullable: false, description: "The row." },
    cursorFieldOptions: {
      description: "The row's position, for `after` and `before`. It stays valid when the row is deleted.",
    },
    pageInfoFieldOptions: { description: "Whether there are rows beyond the page, and its first and last cursor." },
    pageInfoTypeOptions: { description: "Whether there are rows beyond a page, and its first and last cursor." },
    hasNextPageFieldOptions: { description: "True when there are rows after the page." },
    hasPreviousPageFieldOptions: { description: "True when there are rows before the page." },
    startCursorFieldOptions: { description: "The cursor of the first row; null when the page is empty." },
    endCursorFieldOptions: { description: "The cursor of the last row; null when the page is empty." },
  },
  prisma: {
    client: () => {
      throw new Error("Rows are loaded by relations (src/eager-loading): the Prisma plugin has no client.");
    },
    dmmf: getDatamodel(),
    exposeDescriptions: true,
  },
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer, canRead, hasBadToken }) => ({
      trusted: !hasBadToken,
      reader: canRead,
      signedIn: viewer !== null,
      role: (least) => hasRole(viewer, least),
    }),
    unauthorizedError: (_parent, { viewer, hasBadToken }) =>
      viewer === null
        ? new ApplicationError(
            "UNAUTHENTICATED",
            hasBadToken ? "The access token is not good: sign in again." : "Sign in first.",
          )
        : new ApplicationError("FORBIDDEN", "Your role does not allow this."),
  },
  complexity: {
    // The cost of a field is the number of objects that it reads: 1 for an object, the size of a page, 0 for a value.
    fieldComplexity: (_args, _context, field) => (eagerOf(field) ? 1 : { field: 0, multiplier: 1 }),
  },
});

builder.queryType({ description: "All reads.", authScopes: { reader: true } });
builder.mutationType({
  description:
    "All writes. The fields of one operation are one transaction: a failed operation has `data: null` and has changed nothing.",
});
builder.subscriptionType({
  description:
    "Changes as they happen: after their commit and in the order of commits, whichever client, server or worker made them.",
  authScopes: { reader: true },
});
