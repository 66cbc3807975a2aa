import type { FeedPosition } from '../../data/repositories/feed-repository.ts';
import { DomainError } from '../../errors.ts';

const KIND = 'feed';
/** A cursor is short; a longer text is none. */
const MAX_LENGTH = 256;

/** The text of a position: opaque to clients, and of no use at another database. */
export function formatFeedCursor(epoch: string, rev: bigint): string {
  return Buffer.from(JSON.stringify([KIND, epoch, rev.toString()])).toString('base64url');
}

/**
 * The change after which a client goes on.
 *
 * @throws CURSOR_INVALID for what is no cursor of this database, CURSOR_EXPIRED when changes after it are not kept
 *   any more: never silence
 */
export function parseFeedCursor(cursor: string, position: FeedPosition): bigint {
  const [epoch, rev] = decode(cursor) ?? [];
  if (epoch !== position.epoch || rev === undefined || rev > position.rev) {
    throw new DomainError('CURSOR_INVALID', 'This is not a cursor of this feed; begin with "includeInitial".');
  }
  if (rev < position.expiredRev) {
    throw new DomainError(
      'CURSOR_EXPIRED',
      'Changes after this cursor are not kept any more; begin anew with "includeInitial".',
    );
  }
  return rev;
}

function decode(cursor: string): [epoch: string, rev: bigint] | undefined {
  if (cursor.length > MAX_LENGTH) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!Array.isArray(parsed) || parsed.length !== 3) return undefined;
    const [kind, epoch, rev] = parsed as unknown[];
    if (kind !== KIND || typeof epoch !== 'string' || typeof rev !== 'string') return undefined;
    return /^(?:0|[1-9]\d{0,17})$/.test(rev) ? [epoch, BigInt(rev)] : undefined;
  } catch {
    return undefined;
  }
}
