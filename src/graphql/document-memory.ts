import type { DocumentNode, Token } from 'graphql';
import type { Bounded } from '../cache/bounded-map.ts';
import type { Caches } from '../cache/caches.ts';
import { DomainError } from '../errors.ts';
import { CACHE_BOUNDS } from '../limits/cache-bounds.ts';
import { CONNECTION_LIMITS } from '../limits/connection-limits.ts';

/** The maximum size of the documents of one user's open subscriptions. */
const MAX_BYTES_PER_USER = CONNECTION_LIMITS.streamDocumentsPerUser.value;

/** What a parsed document needs for each of its tokens, measured: the token, its node and the node's location. */
const TOKEN_BYTES = 520;
/** A string with characters beyond Latin-1 needs two bytes for each. */
const CHARACTER_BYTES = 2;

/** Keeps parsed documents. */
export type DocumentMemory = ReturnType<typeof createDocumentMemory>;

interface Held {
  document: DocumentNode;
  bytes: number;
  /** The number of open subscriptions of each user. */
  users: Map<string, number>;
}

/**
 * Keeps valid documents by their text: those that are used often, and those of open subscriptions. All subscriptions with
 * the same text share one document.
 */
export function createDocumentMemory(caches: Caches) {
  const recent = caches.createMap<string, DocumentNode>(CACHE_BOUNDS.documents, (_text, document) =>
    estimateDocumentBytes(document),
  );
  const held = new Map<string, Held>();
  const bytesByUser = new Map<string, number>();
  let heldBytes = 0;
  caches.add<Bounded>({
    status: () => ({ ...CACHE_BOUNDS.subscriptionDocuments, entries: held.size, bytes: heldBytes }),
  });

  const addBytes = (userId: string, bytes: number): void => {
    const sum = (bytesByUser.get(userId) ?? 0) + bytes;
    if (sum > 0) bytesByUser.set(userId, sum);
    else bytesByUser.delete(userId);
  };

  /** Counts a document of a user. Their further subscriptions to it cost nothing. */
  const addUser = (entry: Held, userId: string): void => {
    if (!entry.users.has(userId)) {
      if ((bytesByUser.get(userId) ?? 0) + entry.bytes > MAX_BYTES_PER_USER) throw tooManyDocuments();
      addBytes(userId, entry.bytes);
    }
    entry.users.set(userId, (entry.users.get(userId) ?? 0) + 1);
  };

  const startHolding = (document: DocumentNode): Held => {
    const bytes = estimateDocumentBytes(document);
    const { maxEntries, maxBytes } = CACHE_BOUNDS.subscriptionDocuments;
    if (held.size >= maxEntries || heldBytes + bytes > maxBytes) throw tooManyDocuments();
    return { document, bytes, users: new Map() };
  };

  return {
    /** The parsed document; undefined if it is not known. */
    find: (text: string): DocumentNode | undefined => held.get(text)?.document ?? recent.get(text),

    /** Keeps a document that is valid. */
    keep(document: DocumentNode): void {
      const text = textOf(document);
      if (text !== undefined && !held.has(text)) recent.set(text, document);
    },

    /**
     * Holds the document of a user's subscription.
     *
     * @returns a function to call when the subscription ends; further calls have no effect
     * @throws RATE_LIMITED if the documents of the user's or of all subscriptions are too many
     */
    hold(document: DocumentNode, userId: string): () => void {
      const text = textOf(document) ?? '';
      const known = held.get(text);
      const entry = known ?? startHolding(document);
      addUser(entry, userId);
      if (known === undefined) {
        held.set(text, entry);
        heldBytes += entry.bytes;
      }
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (entry.users.get(userId) ?? 0) - 1;
        if (left > 0) {
          entry.users.set(userId, left);
          return;
        }
        entry.users.delete(userId);
        addBytes(userId, -entry.bytes);
        if (entry.users.size > 0) return;
        held.delete(text);
        heldBytes -= entry.bytes;
      };
    },
  };
}

function textOf(document: DocumentNode): string | undefined {
  return document.loc?.source.body;
}

function estimateDocumentBytes(document: DocumentNode): number {
  let tokens = 0;
  for (let token: Token | null | undefined = document.loc?.startToken; token != null; token = token.next) tokens += 1;
  return TOKEN_BYTES * tokens + CHARACTER_BYTES * (textOf(document)?.length ?? 0);
}

function tooManyDocuments(): DomainError {
  const message =
    'The open subscriptions have too many different documents. Use the same document for all, with variables, or close some.';
  return new DomainError('RATE_LIMITED', message);
}
