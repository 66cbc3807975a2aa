import { OpenError } from './open-error.ts';

/** A text, and the origins of the URLs that it may be sent to. */
export interface BoundText {
  text: string;
  /** As `URL.origin` spells them. Empty: the text is sent nowhere. */
  origins: readonly string[];
}

const LENGTH_BYTES = 4;

/**
 * Encodes a text with its origins: their number, then each origin after its length, then the text. Numbers have four
 * bytes, big endian. The origins are sorted and without repetitions, so that equal sets have the same encoding.
 */
export function encodeBoundText({ text, origins }: BoundText): Buffer {
  const sorted = [...new Set(origins)].sort();
  return Buffer.concat([toNumber(sorted.length), ...sorted.flatMap(withLength), Buffer.from(text, 'utf8')]);
}

/**
 * Reads what `encodeBoundText` wrote.
 *
 * @throws OpenError `malformed`. Only an authentic value gets here, so this means that the gateway itself sealed nonsense
 */
export function decodeBoundText(bytes: Buffer): BoundText {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new OpenError('malformed');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const takeNumber = (): number => take(LENGTH_BYTES).readUInt32BE();
  const count = takeNumber();
  const origins: string[] = [];
  while (origins.length < count) origins.push(take(takeNumber()).toString('utf8'));
  return { text: bytes.subarray(at).toString('utf8'), origins };
}

/** A text after its length, so that no two lists of texts have the same encoding. */
export function withLength(text: string): [Buffer, Buffer] {
  const bytes = Buffer.from(text, 'utf8');
  return [toNumber(bytes.length), bytes];
}

function toNumber(value: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32BE(value);
  return bytes;
}
