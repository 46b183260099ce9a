/** The current object for a version conflict, as the API shows it to this client. */
import { execute, type GraphQLSchema, isLeafType, isObjectType, isRequiredArgument, parse } from "graphql";
import { eagerOf } from "../eager-loading/field.ts";
import type { OperationContext } from "../graphql/context.ts";
import { encodeGlobalId } from "../graphql/global-id.ts";

/** The object's own values, read in the operation's transaction; null if the viewer may not see it. */
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

/** Names of the fields that are read with the row, without another relation. */
function plainFields(schema: GraphQLSchema, name: string): string {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is no object type of the schema.`);
  return Object.values(type.getFields())
    .filter((field) => !eagerOf(field) && !field.args.some(isRequiredArgument))
    .filter((field) => isLeafType("ofType" in field.type ? field.type.ofType : field.type))
    .map((field) => field.name)
    .join(" ");
}
