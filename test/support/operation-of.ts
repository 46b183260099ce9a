import { type DocumentNode, getOperationAST, type OperationDefinitionNode } from "graphql";

export function operationOf(document: DocumentNode, name?: string): OperationDefinitionNode {
  const operation = getOperationAST(document, name);
  if (!operation) throw new Error(`The document has no operation ${name ?? "without a name"}.`);
  return operation;
}
