import type { FeedPosition } from '../../data/repositories/feed-repository.ts';
import { DomainError } from '../../errors.ts';

const KIND = 'feed';
/** A cursor is short; a longer text is none. */
const MAX_LENGTH = 256;

/** A place in the feed. */
export interface FeedPlace {
  /** Go on with the changes after this one. */
  rev: bigint;
  /** Before that, with the configs after this id: the beginning was not read to its end. */
  initialAfter?: string | undefined;
}

/** The text of a place: opaque to clients, and of no use at another database. */
export function formatFeedCursor(epoch: string, { rev, initialAfter }: FeedPlace): string {
  const parts = [KIND, epoch, rev.toString(), ...(initialAfter === undefined ? [] : [initialAfter])];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * Where a client goes on.
 *
 * @throws CURSOR_INVALID for what is no cursor of this database, CURSOR_EXPIRED when changes after it are not kept
 *   any more: never silence
 */
export function parseFeedCursor(cursor: string, position: FeedPosition): FeedPlace {
  const [epoch, place] = decode(cursor) ?? [];
  if (epoch !== position.epoch || place === undefined || place.rev > position.rev) throw cursorOfAnother();
  if (place.rev < position.expiredRev) throw cursorExpired();
  return place;
}

/** That a cursor is none, or of another database or history. */
export function cursorOfAnother(): DomainError {
  return new DomainError('CURSOR_INVALID', 'This is not a cursor of this feed; begin with "includeInitial".');
}

/** That changes after a cursor were removed by age. */
export function cursorExpired(): DomainError {
  const message = 'Changes after this cursor are not kept any more; begin anew with "includeInitial".';
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
