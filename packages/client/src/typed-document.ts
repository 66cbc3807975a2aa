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

/** The identifier by which a gateway may know a document. Only documents that were generated with their hash have one. */
export function findDocumentId(document: object): string | undefined {
  const { __meta__: meta } = document as { __meta__?: { hash?: unknown } };
  const hash = meta?.hash;
  return typeof hash === 'string' && /^sha256:[0-9a-f]{64}$/.test(hash) ? hash : undefined;
}

function isNode(document: object): document is DocumentNode {
  return 'kind' in document && document.kind === 'Document';
}
