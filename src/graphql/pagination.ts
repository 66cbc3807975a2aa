import type { Page } from '../data/records.ts';
import { DomainError, validationFailed } from '../errors.ts';
import { OPERATION_LIMITS } from '../limits/operation-limits.ts';
import { MAX_REQUESTED_ENTRIES } from './budget/operation-budget.ts';
import { builder } from './builder.ts';
import type { GraphQLContext } from './context.ts';

const DEFAULT_PAGE_SIZE = OPERATION_LIMITS.pageSize.value;
const MAX_PAGE_SIZE = MAX_REQUESTED_ENTRIES;

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
  return take('first', first, context);
}

/**
 * The same for a list that can also be read from its end.
 *
 * @throws VALIDATION_FAILED also if `before` or `after` does not go with the end that is asked for
 */
export function takePage({ first, last, after, before }: PageArgs, context: GraphQLContext): TakenPage {
  if (last == null) {
    if (before != null) throw invalid('last', 'REQUIRED', 'Say how many entries before the cursor "before" to return.');
    return { from: 'start', size: takeFirst(first, context), cursor: after ?? undefined };
  }
  if (after != null) throw invalid('after', 'AMBIGUOUS', 'Does not go with "last". Give "before", or "first" instead.');
  return { from: 'end', size: take('last', last, context), cursor: before ?? undefined };
}

/** The arguments of a list that can be read from both ends. */
interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** Which entries are asked for: so many from one end, or beyond the cursor. */
interface TakenPage {
  from: 'start' | 'end';
  size: number;
  cursor: string | undefined;
}

function take(name: 'first' | 'last', given: number | null | undefined, context: GraphQLContext): number {
  const size = toPageSize(given, name);
  if (!context.budget.request(size)) return size;
  const message = `One operation may request at most ${MAX_REQUESTED_ENTRIES} entries in all its lists together.`;
  throw outOfRange(name, message);
}

/**
 * The page size of a list that is in memory, inside the entries of another list. Only what it returns counts.
 *
 * @throws VALIDATION_FAILED if it is out of range
 */
export function toPageSize(given: number | null | undefined, name: 'first' | 'last' = 'first'): number {
  const size = given ?? DEFAULT_PAGE_SIZE;
  if (size < 0 || size > MAX_PAGE_SIZE) throw outOfRange(name, `Must be from 0 to ${MAX_PAGE_SIZE}.`);
  return size;
}

function outOfRange(name: 'first' | 'last', message: string): DomainError {
  return validationFailed([{ path: [name], code: 'OUT_OF_RANGE', message }]);
}

function invalid(name: 'after' | 'last', code: 'AMBIGUOUS' | 'REQUIRED', message: string): DomainError {
  return validationFailed([{ path: [name], code, message }]);
}

/** The arguments of a list that can be read from its end, too. */
export const endArgs = builder.args((t) => ({
  last: t.int({
    description: `Return so many entries from the end of the list, 0 to ${MAX_PAGE_SIZE}, in the order of the list. \`first\` has no meaning then.`,
    required: false,
  }),
  before: t.string({ description: 'With `last`: return only entries before this cursor.', required: false }),
}));

/** Who asks for a list, and what seals their cursors. */
type CursorContext = Pick<GraphQLContext, 'viewer' | 'services'>;

/** Seals the values that a list is sorted by as a cursor of the viewer. */
export function encodeCursor({ viewer, services }: CursorContext, kind: string, values: readonly string[]): string {
  return services.cursors.seal(viewer, kind, Buffer.from(JSON.stringify(values)));
}

/**
 * Opens the viewer's own cursor of this kind. Only the gateway can make one, so its values are what the list wrote.
 *
 * @throws CURSOR_INVALID if the text is anything else
 */
export function decodeCursor({ viewer, services }: CursorContext, kind: string, cursor: string): string[] {
  const position = services.cursors.open(viewer, kind, cursor);
  if (position === undefined) throw cursorInvalid();
  return JSON.parse(Buffer.from(position).toString()) as string[];
}

function cursorInvalid(): DomainError {
  return new DomainError('CURSOR_INVALID', 'This is not your cursor of this list; start again without it.');
}

/**
 * Converts a page of records to a Relay connection. Cursors are sealed only for the fields that are selected. The total is
 * counted once, whatever the number of its aliases.
 */
export function toConnection<Row>(
  page: Page<Row>,
  toCursor: (row: Row) => string,
  totalCount: () => Promise<number>,
  { from = 'start', cursor }: Partial<TakenPage> = {},
) {
  const edges = page.rows.map((node) => ({
    node,
    get cursor() {
      return toCursor(node);
    },
  }));
  let total: Promise<number> | undefined;
  return {
    edges,
    totalCount() {
      total ??= totalCount();
      return total;
    },
    pageInfo: {
      // From the end, there are entries after the page if it ends at a cursor.
      hasNextPage: from === 'start' ? page.hasMore : cursor !== undefined,
      hasPreviousPage: from === 'end' && page.hasMore,
      get startCursor() {
        return edges.at(0)?.cursor ?? null;
      },
      get endCursor() {
        return edges.at(-1)?.cursor ?? null;
      },
    },
  };
}
