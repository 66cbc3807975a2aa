import { assertCursorId, cursorInvalid, decodeCursor } from './pagination.ts';

/** Parses a cursor of a list that is sorted by time and id. @throws CURSOR_INVALID */
export function parseTimeCursor(kind: string, cursor: string): { createdAt: Date; id: string } {
  const [text = '', id] = decodeCursor(kind, 2, cursor);
  // Only the format that the lists write: PostgreSQL has no year 0 and not the far years of JavaScript.
  if (!/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) || Number.isNaN(Date.parse(text)))
    throw cursorInvalid();
  return { createdAt: new Date(text), id: assertCursorId(id) };
}
