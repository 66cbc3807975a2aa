import { readAnswer } from './answer.ts';
import { type ClientOptions, createHeaders, send } from './connection.ts';
import { createError, GatehouseError } from './errors.ts';
import { findDocumentId, printDocument, type TypedDocument } from './typed-document.ts';

/** How one request is made. */
export interface RequestOptions {
  /** Ends the request; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** How long to wait for the whole answer, in milliseconds. Default: 30,000. */
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 30_000;

/**
 * Sends a query or a mutation. Throws a `GatehouseError` if the answer has an error, even if it has data beside it
 * (`error.data`).
 */
export async function request<Result, Variables>(
  client: ClientOptions,
  document: TypedDocument<Result, Variables>,
  variables: Variables | undefined,
  { signal, timeoutMs = TIMEOUT_MS }: RequestOptions = {},
): Promise<Result> {
  const headers = await createHeaders(client);
  const timeout = AbortSignal.timeout(timeoutMs);
  const post = async (params: object): Promise<Result> => {
    const response = await send(client, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
      },
      body: JSON.stringify({ ...params, variables }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    return (await readAnswer(response)) as Result;
  };
  const documentId = findDocumentId(document);
  const postText = () => post({ query: printDocument(document) });
  try {
    if (documentId === undefined) return await postText();
    // Where the gateway does not know the document, nothing was carried out.
    return await post({ documentId }).catch((error: unknown) => {
      if (error instanceof GatehouseError && error.code === 'PERSISTED_QUERY_NOT_FOUND') return postText();
      throw error;
    });
  } catch (cause) {
    signal?.throwIfAborted();
    if (timeout.aborted) {
      throw createError('CONNECTION_FAILED', `The gateway did not answer within ${timeoutMs} ms.`, { cause });
    }
    if (cause instanceof GatehouseError) throw cause;
    throw createError('CONNECTION_FAILED', 'The gateway could not be reached.', { cause });
  }
}
