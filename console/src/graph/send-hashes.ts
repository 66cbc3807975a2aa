import { type CombinedError, type Exchange, makeOperation, type Operation } from '@urql/core';
import { filter, makeSubject, map, merge, pipe } from 'wonka';
import { hashOf } from './document-hash.ts';

/** What a gateway of another version says that does not know the document. */
const NOT_FOUND = 'PersistedQueryNotFound';

/**
 * Sends the hashes of documents, and a document itself only if the gateway does not know it, without the hash: that is of
 * another text with the same meaning. Nothing was carried out then, so this holds for mutations, too.
 */
export const sendHashesExchange: Exchange =
  ({ forward }) =>
  (operations) => {
    const again = makeSubject<Operation>();
    return pipe(
      forward(merge([pipe(operations, map(withHash)), again.source])),
      filter(({ operation, error }) => {
        if (operation.extensions?.persistedQuery === undefined || !isNotFound(error)) return true;
        const { extensions: _, ...request } = operation;
        again.next(makeOperation(operation.kind, request, operation.context));
        return false;
      }),
    );
  };

function withHash(operation: Operation): Operation {
  const hash = hashOf(operation.query);
  if (hash === undefined || (operation.kind !== 'query' && operation.kind !== 'mutation')) return operation;
  const extensions = { persistedQuery: { version: 1 as const, sha256Hash: hash } };
  return makeOperation(operation.kind, { ...operation, extensions }, operation.context);
}

function isNotFound(error: CombinedError | undefined): boolean {
  return error?.graphQLErrors.some(({ message }) => message === NOT_FOUND) === true;
}
