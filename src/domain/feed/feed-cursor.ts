import type { FeedPosition } from '../../data/repositories/feed-repository.ts';
import { DomainError } from '../../errors.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { Cursors } from '../cursors.ts';

const KIND = 'feed';
const REV_BYTES = 8;
/** The two revisions of a position. */
const REVS_BYTES = 2 * REV_BYTES;

/** A position in the feed. */
export interface FeedPlace {
  /** Continue with the changes after this revision. */
  rev: bigint;
  /** Configs were shown as of this revision, so none is shown as it was before. Default `rev`. */
  shownRev?: bigint | undefined;
  /** First send the configs after this id, because the initial list was interrupted. */
  initialAfter?: string | undefined;
}

/**
 * Seals a position as a cursor of the viewer. Neither its content nor its length shows the revision, and two cursors of
 * one revision differ: revisions count changes that the viewer may not see.
 */
export function sealFeedCursor(
  cursors: Cursors,
  viewer: Viewer,
  { rev, shownRev = rev, initialAfter }: FeedPlace,
): string {
  const bytes = Buffer.alloc(REVS_BYTES);
  bytes.writeBigUInt64BE(rev);
  bytes.writeBigUInt64BE(shownRev, REV_BYTES);
  const position = initialAfter === undefined ? bytes : Buffer.concat([bytes, Buffer.from(`:${initialAfter}`)]);
  return cursors.sealUnique(viewer, KIND, position);
}

/**
 * Opens a cursor of the viewer.
 *
 * @throws CURSOR_INVALID when it is not the viewer's cursor of this database, CURSOR_EXPIRED when changes after it have
 *   been removed. Never skips changes silently
 */
export function openFeedCursor(cursors: Cursors, viewer: Viewer, cursor: string, position: FeedPosition): FeedPlace {
  const bytes = cursors.open(viewer, KIND, cursor);
  if (bytes === undefined) throw cursorInvalid();
  const place = toPlace(Buffer.from(bytes));
  if (place.rev > position.rev || (place.shownRev ?? 0n) > position.rev) throw cursorInvalid();
  if (place.rev < position.expiredRev) throw cursorExpired();
  return place;
}

/** The error for a malformed cursor, or one of another user, database or history. */
export function cursorInvalid(): DomainError {
  const message = 'This is not a cursor of your feed; subscribe again with "includeInitial".';
  return new DomainError('CURSOR_INVALID', message);
}

/** The error for a cursor whose following changes were removed by age. */
export function cursorExpired(): DomainError {
  const message = 'Changes after this cursor are no longer available; subscribe again with "includeInitial".';
  return new DomainError('CURSOR_EXPIRED', message);
}

function toPlace(bytes: Buffer): FeedPlace {
  const revs = { rev: bytes.readBigUInt64BE(), shownRev: bytes.readBigUInt64BE(REV_BYTES) };
  return bytes.length === REVS_BYTES ? revs : { ...revs, initialAfter: bytes.toString('utf8', REVS_BYTES + 1) };
}
