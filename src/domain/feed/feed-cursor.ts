import type { FeedPosition } from '../../data/repositories/feed-repository.ts';
import { DomainError } from '../../errors.ts';

const KIND = 'feed';
/** Longer texts are not cursors. */
const MAX_LENGTH = 256;

/** A position in the feed. */
export interface FeedPlace {
  /** Continue with the changes after this revision. */
  rev: bigint;
  /** First send the configs after this id, because the initial list was interrupted. */
  initialAfter?: string | undefined;
}

/** Formats a position as a cursor. It is opaque to clients and only valid for the same database. */
export function formatFeedCursor(epoch: string, { rev, initialAfter }: FeedPlace): string {
  const parts = [KIND, epoch, rev.toString(), ...(initialAfter === undefined ? [] : [initialAfter])];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * Parses a cursor into a position.
 *
 * @throws CURSOR_INVALID when it is not a cursor of this database, CURSOR_EXPIRED when changes after it have been
 *   removed. Never skips changes silently
 */
export function parseFeedCursor(cursor: string, position: FeedPosition): FeedPlace {
  const [epoch, place] = decode(cursor) ?? [];
  if (epoch !== position.epoch || place === undefined || place.rev > position.rev) throw cursorInvalid();
  if (place.rev < position.expiredRev) throw cursorExpired();
  return place;
}

/** The error for a malformed cursor, or one from another database or history. */
export function cursorInvalid(): DomainError {
  return new DomainError('CURSOR_INVALID', 'This is not a cursor of this feed; subscribe again with "includeInitial".');
}

/** The error for a cursor whose following changes were removed by age. */
export function cursorExpired(): DomainError {
  const message = 'Changes after this cursor are no longer available; subscribe again with "includeInitial".';
  return new DomainError('CURSOR_EXPIRED', message);
}

function decode(cursor: string): [epoch: string, place: FeedPlace] | undefined {
  if (cursor.length > MAX_LENGTH) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!Array.isArray(parsed) || parsed.length < 3 || parsed.length > 4) return undefined;
    if (!parsed.every((part) => typeof part === 'string')) return undefined;
    const [kind, epoch = '', rev = '', initialAfter] = parsed as string[];
    if (kind !== KIND || !/^(?:0|[1-9]\d{0,17})$/.test(rev)) return undefined;
    return [epoch, { rev: BigInt(rev), initialAfter }];
  } catch {
    return undefined;
  }
}
