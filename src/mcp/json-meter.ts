const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** The field of an event that has the message. */
const DATA = Buffer.from('data');

/** What is known of the JSON so far. */
export interface JsonMeasure {
  /** The greatest depth. */
  depth: number;
  /** The bytes of the current event, or of everything that is not in events. */
  bytes: number;
}

/**
 * Follows JSON as it arrives, and tells how large it is and how deep it nests, so that JSON that exceeds a limit is
 * refused before anything parses it.
 *
 * @param isEvents whether the JSON is in the `data` lines of server-sent events
 * @returns takes the next bytes
 */
export function createJsonMeter(isEvents: boolean): (chunk: Uint8Array) => JsonMeasure {
  const measure: JsonMeasure = { depth: 0, bytes: 0 };
  let depth = 0;
  let isText = false;
  let isEscaped = false;
  /** The position in the line, as far as it tells the field. Negative in lines that do not count. */
  let column = 0;
  let isEmptyLine = true;
  let isAfterReturn = false;

  const endLine = (): void => {
    // An empty line ends an event.
    if (isEmptyLine) {
      depth = 0;
      measure.bytes = 0;
    }
    isText = false;
    isEscaped = false;
    column = 0;
    isEmptyLine = true;
  };

  /** Whether the byte is part of a `data` line. */
  const isData = (byte: number): boolean => {
    const isSecondOfPair = isAfterReturn && byte === LINE_FEED;
    isAfterReturn = byte === CARRIAGE_RETURN;
    if (isSecondOfPair) return false;
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      endLine();
      return false;
    }
    isEmptyLine = false;
    if (column < 0) return false;
    if (column === DATA.length) return true;
    column = byte === DATA[column] ? column + 1 : -1;
    return false;
  };

  return (chunk) => {
    for (const byte of chunk) {
      measure.bytes += 1;
      if (isEvents && !isData(byte)) continue;
      if (isEscaped) isEscaped = false;
      else if (byte === QUOTE) isText = !isText;
      else if (isText) isEscaped = byte === BACKSLASH;
      else if (OPEN.has(byte)) {
        depth += 1;
        if (depth > measure.depth) measure.depth = depth;
      } else if (CLOSE.has(byte) && depth > 0) depth -= 1;
    }
    return measure;
  };
}
