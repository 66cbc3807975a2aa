import { MASTER_KEY_BYTES, MasterKey } from './master-key.ts';
import { isRepetitive } from './repetition.ts';

/** Standard base64 (RFC 4648, section 4); padding is optional. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * 32 random bytes have 30 distinct values on average. Fewer than 16 occur in less than one key in 10^20, but in most
 * things typed by hand.
 */
const MIN_DISTINCT_BYTES = 16;

/**
 * Parses `GATEHOUSE_ENCRYPTION_KEYS`: comma-separated base64 of 32 bytes each. The first key seals, all keys open.
 *
 * @returns the valid keys in order, and one problem for each invalid key. A problem refers to the key by position
 *   (starting at 1), never by its text, because problems are printed at startup and end up in logs.
 */
export function parseMasterKeys(text: string): { keys: MasterKey[]; problems: string[] } {
  const keys: MasterKey[] = [];
  const problems: string[] = [];
  const positionByDigest = new Map<string, number>();
  for (const [index, entry] of text.split(',').entries()) {
    const position = index + 1;
    const bytes = decodeBase64(entry.trim());
    const problem = findProblem(entry.trim(), bytes);
    if (problem !== undefined || bytes === undefined) {
      problems.push(`key ${position} ${problem}`);
      continue;
    }
    const key = new MasterKey(bytes);
    const firstPosition = positionByDigest.get(key.digest);
    if (firstPosition !== undefined) {
      problems.push(`key ${position} is the same as key ${firstPosition}`);
      continue;
    }
    positionByDigest.set(key.digest, position);
    keys.push(key);
  }
  return { keys, problems };
}

function findProblem(entry: string, bytes: Buffer | undefined): string | undefined {
  if (entry === '') return 'is empty';
  if (bytes === undefined) return 'is not base64';
  if (bytes.length !== MASTER_KEY_BYTES)
    return `has ${bytes.length} bytes once decoded; it must have ${MASTER_KEY_BYTES}`;
  if (isPredictable(bytes)) return 'is not random: make one with `gatehouse keys generate`';
  return undefined;
}

/** Node skips invalid characters when decoding. Re-encoding and comparing detects that. */
function decodeBase64(entry: string): Buffer | undefined {
  if (!BASE64.test(entry)) return undefined;
  const bytes = Buffer.from(entry, 'base64');
  const withoutPadding = (base64: string) => base64.replace(/=+$/, '');
  return withoutPadding(bytes.toString('base64')) === withoutPadding(entry) ? bytes : undefined;
}

/** Detects what people use instead of a random key: text, or bytes that follow a pattern. */
function isPredictable(bytes: Uint8Array): boolean {
  const isText = bytes.every(
    (byte) => (byte >= 0x20 && byte <= 0x7e) || byte === 0x09 || byte === 0x0a || byte === 0x0d,
  );
  return isText || isRepetitive(bytes, MIN_DISTINCT_BYTES);
}
