import { type DocumentNode, print } from 'graphql';

/**
 * An operation with the types of its result and its variables: a `TypedDocumentNode`, a document of gql.tada, or a
 * `TypedDocumentString` of GraphQL Code Generator.
 */
export type TypedDocument<Result, Variables> = (DocumentNode | (object & { toString(): string })) & {
  /** Never there; it only carries the types. */
  __apiType?: (variables: Variables) => Result;
};

/** The arguments after a document: its variables, which may be left out if none is required. */
export type VariablesOf<Variables> =
  Record<string, never> extends Variables ? [variables?: Variables | undefined] : [variables: Variables];

/** The text of a document. */
export function printDocument(document: TypedDocument<never, never> | TypedDocument<unknown, never>): string {
  return isNode(document) ? print(document) : document.toString();
}

function isNode(document: object): document is DocumentNode {
  return 'kind' in document && document.kind === 'Document';
}
