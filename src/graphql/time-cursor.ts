import type { GraphQLContext } from './context.ts';
import { decodeCursor, encodeCursor } from './pagination.ts';

/** What a list by time is sorted by. */
interface TimePlace {
  createdAt: Date;
  id: string;
}

/** Seals the position of an entry in a list that is sorted by time and id. */
export function encodeTimeCursor(context: GraphQLContext, kind: string, { createdAt, id }: TimePlace): string {
  return encodeCursor(context, kind, [createdAt.toISOString(), id]);
}

/** Opens a cursor of a list that is sorted by time and id. @throws CURSOR_INVALID */
export function decodeTimeCursor(context: GraphQLContext, kind: string, cursor: string): TimePlace {
  const [createdAt = '', id = ''] = decodeCursor(context, kind, cursor);
  return { createdAt: new Date(createdAt), id };
}
