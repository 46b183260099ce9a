/** What a client that was too late needs to know: the object as it is now, as the API shows it to this client. */
import { execute, type GraphQLSchema, isLeafType, isObjectType, isRequiredArgument, parse } from "graphql";
import { eagerOf } from "../eager-loading/field.ts";
import type { OperationContext } from "../graphql/context.ts";
import { encodeGlobalId } from "../graphql/global-id.ts";

/** The object's plain fields, or null when the viewer may not see it. Read within the operation's transaction. */
export async function currentObject(
  schema: GraphQLSchema,
  { type, id }: { type: string; id: string },
  context: OperationContext,
): Promise<unknown> {
  context.loaders.clear();
  const document = parse(
    `query($id: ID!) { node(id: $id) { __typename ... on ${type} { ${plainFields(schema, type)} } } }`,
  );
  const variableValues = { id: encodeGlobalId(type, id) };
  const { data } = await execute({ schema, document, variableValues, contextValue: context });
  return data?.node ?? null;
}

/** Values that come with the row: nothing that asks another relation, nothing wide. */
function plainFields(schema: GraphQLSchema, name: string): string {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is no object type of the schema.`);
  return Object.values(type.getFields())
    .filter((field) => !eagerOf(field) && !field.args.some(isRequiredArgument))
    .filter((field) => isLeafType("ofType" in field.type ? field.type.ofType : field.type))
    .map((field) => field.name)
    .join(" ");
}
