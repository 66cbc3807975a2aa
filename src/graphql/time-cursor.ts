import { assertCursorId, cursorInvalid, decodeCursor } from './pagination.ts';

/** The position in a list by time and id. @throws CURSOR_INVALID */
export function parseTimeCursor(kind: string, cursor: string): { createdAt: Date; id: string } {
  const [text = '', id] = decodeCursor(kind, 2, cursor);
  // As the lists write it: PostgreSQL has no year 0, nor JavaScript's far ones.
  if (!/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) || Number.isNaN(Date.parse(text)))
    throw cursorInvalid();
  return { createdAt: new Date(text), id: assertCursorId(id) };
}
