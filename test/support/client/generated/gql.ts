/* eslint-disable */
import * as types from './graphql.ts';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query ReadDocument($id: ID!, $first: Int, $after: String) {\n    document(id: $id) {\n      title\n      status\n      version\n      progress\n      attempts\n      mimeType\n      sizeBytes\n      processedAt\n      text\n      chunks(first: $first, after: $after) {\n        totalCount\n        nodes { index text startOffset endOffset tokenCount }\n        pageInfo { hasNextPage hasPreviousPage endCursor }\n      }\n    }\n  }\n": typeof types.ReadDocumentDocument,
    "\n  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {\n    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {\n      totalCount\n      nodes { score snippet chunk { id index text document { id title } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.SearchDocument,
    "\n  mutation Rename($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version updatedAt } }\n  }\n": typeof types.RenameDocument,
    "\n  mutation Delete($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n": typeof types.DeleteDocument,
    "\n  mutation CreateFromSource($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }\n    }\n  }\n": typeof types.CreateFromSourceDocument,
    "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      accessToken\n      refreshToken\n      user { id }\n    }\n  }\n": typeof types.SignUpDocument,
    "\n  mutation CreateDocument($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id version }\n    }\n  }\n": typeof types.CreateDocumentDocument,
};
const documents: Documents = {
    "\n  query ReadDocument($id: ID!, $first: Int, $after: String) {\n    document(id: $id) {\n      title\n      status\n      version\n      progress\n      attempts\n      mimeType\n      sizeBytes\n      processedAt\n      text\n      chunks(first: $first, after: $after) {\n        totalCount\n        nodes { index text startOffset endOffset tokenCount }\n        pageInfo { hasNextPage hasPreviousPage endCursor }\n      }\n    }\n  }\n": types.ReadDocumentDocument,
    "\n  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {\n    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {\n      totalCount\n      nodes { score snippet chunk { id index text document { id title } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.SearchDocument,
    "\n  mutation Rename($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version updatedAt } }\n  }\n": types.RenameDocument,
    "\n  mutation Delete($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n": types.DeleteDocument,
    "\n  mutation CreateFromSource($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }\n    }\n  }\n": types.CreateFromSourceDocument,
    "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      accessToken\n      refreshToken\n      user { id }\n    }\n  }\n": types.SignUpDocument,
    "\n  mutation CreateDocument($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id version }\n    }\n  }\n": types.CreateDocumentDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadDocument($id: ID!, $first: Int, $after: String) {\n    document(id: $id) {\n      title\n      status\n      version\n      progress\n      attempts\n      mimeType\n      sizeBytes\n      processedAt\n      text\n      chunks(first: $first, after: $after) {\n        totalCount\n        nodes { index text startOffset endOffset tokenCount }\n        pageInfo { hasNextPage hasPreviousPage endCursor }\n      }\n    }\n  }\n"): (typeof documents)["\n  query ReadDocument($id: ID!, $first: Int, $after: String) {\n    document(id: $id) {\n      title\n      status\n      version\n      progress\n      attempts\n      mimeType\n      sizeBytes\n      processedAt\n      text\n      chunks(first: $first, after: $after) {\n        totalCount\n        nodes { index text startOffset endOffset tokenCount }\n        pageInfo { hasNextPage hasPreviousPage endCursor }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {\n    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {\n      totalCount\n      nodes { score snippet chunk { id index text document { id title } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {\n    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {\n      totalCount\n      nodes { score snippet chunk { id index text document { id title } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Rename($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version updatedAt } }\n  }\n"): (typeof documents)["\n  mutation Rename($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version updatedAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Delete($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n"): (typeof documents)["\n  mutation Delete($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateFromSource($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateFromSource($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      accessToken\n      refreshToken\n      user { id }\n    }\n  }\n"): (typeof documents)["\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      accessToken\n      refreshToken\n      user { id }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateDocument($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id version }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateDocument($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id version }\n    }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;