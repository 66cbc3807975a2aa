import type { ExecutionResult } from '@urql/core';
import type { Client, Sink, SubscribePayload } from 'graphql-ws/client';

/** What a gateway of another version says that does not know the document. */
const NOT_FOUND = 'PersistedQueryNotFound';

/**
 * Subscribes with the hash of the document, and with the document itself if the gateway does not know it.
 *
 * @param hash undefined if it is not known
 * @returns ends the subscription
 */
export function subscribeByHash(
  socket: Client,
  { query, variables }: SubscribePayload,
  hash: string | undefined,
  { next, error, complete }: Sink<ExecutionResult>,
): () => void {
  const subscribe = (payload: SubscribePayload, onError: (reason: unknown) => void): (() => void) =>
    socket.subscribe(payload, { next: (result) => next(result as ExecutionResult), error: onError, complete });
  const payload = { query, variables: variables ?? {} };
  if (hash === undefined) return subscribe(payload, error);
  const named = { ...payload, query: '', extensions: { persistedQuery: { version: 1, sha256Hash: hash } } };
  let end = subscribe(named, (reason) => {
    if (isNotFound(reason)) end = subscribe(payload, error);
    else error(reason);
  });
  return () => end();
}

function isNotFound(reason: unknown): boolean {
  return Array.isArray(reason) && reason.some(({ message }) => message === NOT_FOUND);
}
