import type { Page } from '../data/records.ts';
import { DomainError, validationFailed } from '../errors.ts';
import { builder } from './builder.ts';
import { type GraphQLContext, MAX_ENTRIES } from './context.ts';
import { isUuid } from './scalars/uuid.ts';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = MAX_ENTRIES;

/** The arguments of every list. */
export const pageArgs = builder.args((t) => ({
  first: t.int({
    description: `Maximum number of entries to return, 0 to ${MAX_PAGE_SIZE}.`,
    required: false,
    defaultValue: DEFAULT_PAGE_SIZE,
  }),
  after: t.string({ description: 'Return only entries after this cursor.', required: false }),
}));

/**
 * Returns the page size and deducts it from the operation's total.
 *
 * @throws VALIDATION_FAILED if it is out of range or exceeds what is left
 */
export function takeFirst(first: number | null | undefined, context: GraphQLContext): number {
  const size = first ?? DEFAULT_PAGE_SIZE;
  if (size < 0 || size > MAX_PAGE_SIZE) throw outOfRange(`Must be from 0 to ${MAX_PAGE_SIZE}.`);
  context.entriesLeft -= size;
  if (context.entriesLeft >= 0) return size;
  throw outOfRange(`One operation may request at most ${MAX_ENTRIES} entries in all its lists together.`);
}

function outOfRange(message: string): DomainError {
  return validationFailed([{ path: ['first'], code: 'OUT_OF_RANGE', message }]);
}

/** Encodes the values that a list is sorted by as an opaque cursor. */
export function encodeCursor(kind: string, values: readonly string[]): string {
  return Buffer.from(JSON.stringify([kind, ...values])).toString('base64url');
}

/**
 * Decodes the values in a cursor of this kind.
 *
 * @throws CURSOR_INVALID if the text is not a cursor of this list
 */
export function decodeCursor(kind: string, count: number, cursor: string): string[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === count + 1 && parsed.every((each) => typeof each === 'string')) {
      const [actualKind, ...values] = parsed as string[];
      if (actualKind === kind && values.every((value) => value.isWellFormed() && !value.includes('\0'))) return values;
    }
  } catch {
    // Not JSON: fails below like any other invalid cursor.
  }
  throw cursorInvalid();
}

/** The error for a text that is not a cursor of this list. */
export function cursorInvalid(): DomainError {
  return new DomainError('CURSOR_INVALID', 'This is not a cursor of this list; start again without "after".');
}

/** Converts a page of records to a Relay connection. */
export function toConnection<Row>(page: Page<Row>, toCursor: (row: Row) => string, totalCount: () => Promise<number>) {
  const edges = page.rows.map((node) => ({ node, cursor: toCursor(node) }));
  return {
    edges,
    totalCount,
    pageInfo: {
      hasNextPage: page.hasMore,
      hasPreviousPage: false,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** @throws CURSOR_INVALID if the id in a cursor is not a UUID */
export function assertCursorId(id: string | undefined): string {
  if (id !== undefined && isUuid(id)) return id;
  throw cursorInvalid();
}
