import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { REQUEST_LIMITS } from '../limits/request-limits.ts';
import type { MasterKey } from './master-key.ts';

const ALGORITHM = 'aes-256-ctr';
const TAG_BYTES = 16;
/** Random bytes that make two cursors of one position different. */
const NONCE_BYTES = 12;
/** Longer texts are not cursors. The longest position is a display name (120 characters) and an id. */
const MAX_LENGTH = REQUEST_LIMITS.cursor.value;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** What a cursor belongs to. It does not open for anything else. */
export interface CursorPurpose {
  /** The list or feed. */
  kind: string;
  /** The database and its history. */
  epoch: string;
  /** The user who got the cursor. */
  userId: string;
}

/** How a position is sealed. */
export interface CursorSealOptions {
  /**
   * Whether each call gives another text. Without it, the same position gives the same text: only for positions that
   * its reader may know.
   */
  isUnique: boolean;
}

/**
 * Seals a position as an opaque text: base64url of tag (16 bytes) and ciphertext. The tag is HMAC-SHA256 over purpose and
 * position, and it is the initial counter block of AES-256-CTR: a synthetic IV, as in RFC 5297, which stays secure if
 * a position is sealed twice. The text shows nothing of the position but its length, and nobody without the key can make
 * or change one.
 */
export function sealCursor(
  key: MasterKey,
  purpose: CursorPurpose,
  position: Uint8Array,
  { isUnique }: CursorSealOptions,
): string {
  const nonce = randomBytes(isUnique ? NONCE_BYTES : 0);
  const plaintext = Buffer.concat([Uint8Array.of(nonce.length), nonce, position]);
  const { encryptionKey, macKey } = key.cursorKeys;
  const tag = createTag(macKey, purpose, plaintext);
  const cipher = createCipheriv(ALGORITHM, encryptionKey, tag);
  return Buffer.concat([tag, cipher.update(plaintext), cipher.final()]).toString('base64url');
}

/**
 * Opens a cursor with the key that sealed it. Undefined if the text is anything else.
 *
 * @param maxLength longer texts are refused without looking at them
 */
export function openCursor(
  key: MasterKey,
  purpose: CursorPurpose,
  text: string,
  maxLength: number = MAX_LENGTH,
): Uint8Array | undefined {
  if (text.length > maxLength || !BASE64URL.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // Exactly one text per cursor: base64url with non-zero trailing bits is rejected.
  if (bytes.length <= TAG_BYTES || bytes.toString('base64url') !== text) return undefined;
  const tag = bytes.subarray(0, TAG_BYTES);
  const { encryptionKey, macKey } = key.cursorKeys;
  const decipher = createDecipheriv(ALGORITHM, encryptionKey, tag);
  const plaintext = Buffer.concat([decipher.update(bytes.subarray(TAG_BYTES)), decipher.final()]);
  if (!timingSafeEqual(createTag(macKey, purpose, plaintext), tag)) return undefined;
  return plaintext.subarray(1 + (plaintext[0] ?? 0));
}

function createTag(macKey: Uint8Array, { kind, epoch, userId }: CursorPurpose, plaintext: Uint8Array): Buffer {
  const hmac = createHmac('sha256', macKey)
    .update(JSON.stringify([kind, epoch, userId]))
    .update('\0')
    .update(plaintext);
  return hmac.digest().subarray(0, TAG_BYTES);
}
