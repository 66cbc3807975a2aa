import type { GraphQLError } from 'graphql';
import type { Bounded } from '../../cache/bounded-map.ts';
import type { Caches } from '../../cache/caches.ts';
import { DomainError, validationFailed } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { toRequestError } from '../mask-error.ts';
import { hashDocument, isDocumentHash, parseDocumentId } from './document-hash.ts';
import type { TrustedDocuments } from './load-trusted-documents.ts';

/** The parts of a request that say which document it is about. */
export interface DocumentParams {
  query?: unknown;
  /** GraphQL over HTTP, appendix "Persisted Documents". */
  documentId?: unknown;
  /** With `persistedQuery: {version: 1, sha256Hash}`: automatic persisted queries. */
  extensions?: unknown;
}

/** Puts the text of the document into a request that only names it. */
export type DocumentIds = ReturnType<typeof createDocumentIds>;

interface NamedDocument {
  hash: string;
  path: readonly string[];
}

/** A string with characters beyond Latin-1 needs two bytes for each. */
const CHARACTER_BYTES = 2;

/** The path of the hash in a request of a client with automatic persisted queries. */
const HASH_PATH = ['extensions', 'persistedQuery', 'sha256Hash'];

/**
 * Finds documents by their hash: the trusted ones, and those that clients registered. A client registers a document by
 * sending its text and its hash. All callers share what is registered, since a document is no more than what a caller could
 * send themselves. A trusted document is never replaced.
 */
export function createDocumentIds(trusted: TrustedDocuments, caches: Caches) {
  const { byHash, isOnly } = trusted;
  caches.add<Bounded>({
    status: () => ({ ...CACHE_BOUNDS.trustedDocuments, entries: byHash.size, bytes: trusted.bytes }),
  });
  const registered = caches.createMap<string, string>(
    CACHE_BOUNDS.registeredDocuments,
    (hash, text) => CHARACTER_BYTES * (hash.length + text.length),
  );

  return {
    /** Whether a document may be used: any, unless only trusted ones may. */
    isAllowed: (text: string): boolean => !isOnly || byHash.has(hashDocument(text)),

    /**
     * Sets `query` of a request that names its document, and removes `documentId`.
     *
     * @returns registers the document: to call once it is valid. Undefined if there is nothing to register
     * @throws GraphQLError if there is no such document, or the request contradicts itself
     */
    resolve(params: DocumentParams): (() => void) | undefined {
      const named = readName(params);
      delete params.documentId;
      if (named === undefined) return undefined;
      const { hash, path } = named;
      const { query } = params;
      // WebSocket messages always have a query. It is empty when they name the document.
      if (query === undefined || query === null || query === '') {
        const text = byHash.get(hash) ?? registered.get(hash);
        if (text === undefined) throw notFound();
        params.query = text;
        return undefined;
      }
      // The request is refused for this later.
      if (typeof query !== 'string') return undefined;
      if (hashDocument(query) !== hash) {
        throw invalid(path, 'DOCUMENT_ID_MISMATCH', 'Is not the SHA-256 of the query beside it, as UTF-8.');
      }
      // With `isOnly`, no other document becomes valid.
      return byHash.has(hash) ? undefined : () => registered.set(hash, query);
    },
  };
}

/** Reads which document a request names, in either way. */
function readName({ documentId, extensions }: DocumentParams): NamedDocument | undefined {
  const byId = readDocumentId(documentId);
  const byExtension = readExtension(extensions);
  if (byId !== undefined && byExtension !== undefined && byId.hash !== byExtension.hash) {
    throw invalid(byId.path, 'DOCUMENT_ID_MISMATCH', 'Names another document than `extensions.persistedQuery`.');
  }
  return byId ?? byExtension;
}

function readDocumentId(documentId: unknown): NamedDocument | undefined {
  if (documentId === undefined || documentId === null) return undefined;
  const hash = typeof documentId === 'string' ? parseDocumentId(documentId) : undefined;
  if (hash !== undefined) return { hash, path: ['documentId'] };
  const message = 'Must be "sha256:" and the SHA-256 of the document, as 64 lower-case hexadecimal digits.';
  throw invalid(['documentId'], 'INVALID_DOCUMENT_ID', message);
}

function readExtension(extensions: unknown): NamedDocument | undefined {
  const { persistedQuery } = (extensions ?? {}) as { persistedQuery?: unknown };
  if (persistedQuery === undefined || persistedQuery === null) return undefined;
  const { version, sha256Hash } = persistedQuery as { version?: unknown; sha256Hash?: unknown };
  if (version !== 1) throw invalid(['extensions', 'persistedQuery', 'version'], 'NOT_SUPPORTED', 'Must be 1.');
  if (typeof sha256Hash === 'string' && isDocumentHash(sha256Hash)) return { hash: sha256Hash, path: HASH_PATH };
  const message = 'Must be the SHA-256 of the document, as 64 lower-case hexadecimal digits.';
  throw invalid(HASH_PATH, 'INVALID_DOCUMENT_ID', message);
}

function invalid(path: readonly string[], code: string, message: string): GraphQLError {
  return toRequestError(validationFailed([{ path, code, message }]), 400);
}

/** Clients compare the message, and send the document when they read it. */
function notFound(): GraphQLError {
  return toRequestError(new DomainError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound'), 400);
}
