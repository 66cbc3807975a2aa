import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from 'node:crypto';
import { type BoundText, decodeBoundText, encodeBoundText, withLength } from './bound-text.ts';
import type { MasterKey } from './master-key.ts';
import { OpenError } from './open-error.ts';

const ALGORITHM = 'aes-256-gcm';
/** HKDF's info by format. It differs, so that a value of one format does not open as the other. */
const INFO = { v1: 'gatehouse/envelope/v1', v2: 'gatehouse/envelope/v2' } as const;
const SALT_BYTES = 32;
const COMMITMENT_BYTES = 32;
const TAG_BYTES = 16;
const MIN_BYTES = SALT_BYTES + COMMITMENT_BYTES + TAG_BYTES;

/**
 * GCM is broken if a nonce is used twice with the same key (NIST SP 800-38D, section 8). Each envelope has its own key,
 * derived from a salt of 256 random bits, and that key encrypts exactly one message. The nonce can therefore be constant,
 * and the limit of 2^32 random nonces per key does not apply.
 */
const NONCE = new Uint8Array(12);

/** Without a fixed length, Node accepts tags as short as 4 bytes, which an attacker can guess. */
const GCM_OPTIONS = { authTagLength: TAG_BYTES };

/** A sealed value: the format, then base64url without padding (RFC 4648, section 5). */
const ENVELOPE = /^(v[12]):([A-Za-z0-9_-]+)$/;

/** With the `u` flag, this matches only surrogates that are not part of a pair. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The place a value is sealed for. It is authenticated with the value, so the value does not open anywhere else. */
export interface SealedPlace {
  table: string;
  column: string;
  /** The row's primary key, as the database prints it. */
  rowId: string;
  /** The user who owns the row, if any. */
  ownerId: string | undefined;
}

/** A text that was opened. In the format `v1`, texts have no origins: null. */
export interface OpenedText {
  text: string;
  origins: readonly string[] | null;
}

const randomSalt = (): Uint8Array => randomBytes(SALT_BYTES);

/**
 * Seals a text for one place in the database, in the format `v2`. The result is `v2:` and the base64url of salt (32
 * bytes), key commitment (32), ciphertext, and GCM tag (16). The ciphertext has the origins too, so that whoever opens the
 * value can tell where the text may be sent. docs/adr/0002-sealed-values.md explains the format.
 *
 * @throws TypeError if the text has a lone surrogate: UTF-8 cannot encode it, so opening would return another text
 */
export function sealEnvelope(key: MasterKey, content: BoundText, place: SealedPlace): string {
  return sealWithSalt(key, content, place, randomSalt());
}

/**
 * DANGEROUS outside known-answer tests: sealing two texts with one salt reuses key and nonce, which exposes both texts.
 *
 * @internal
 */
export function sealWithSalt(key: MasterKey, content: BoundText, place: SealedPlace, salt: Uint8Array): string {
  if (salt.length !== SALT_BYTES) throw new RangeError(`the salt must have ${SALT_BYTES} bytes`);
  if (LONE_SURROGATE.test(content.text)) throw new TypeError('a text to seal must be well-formed Unicode');
  const { encryptionKey, commitment } = key.deriveEnvelopeKeys(salt, INFO.v2);
  const cipher = createCipheriv(ALGORITHM, encryptionKey, NONCE, GCM_OPTIONS);
  cipher.setAAD(encodePlace(place, key.digest));
  const ciphertext = [cipher.update(encodeBoundText(content)), cipher.final()];
  return `v2:${Buffer.concat([salt, commitment, ...ciphertext, cipher.getAuthTag()]).toString('base64url')}`;
}

/**
 * Opens a sealed value from the place where it was found. The caller compares the origins with the URLs that the text is
 * about to be sent to.
 *
 * The commitment is compared first, in constant time. GCM alone does not commit to a key: an attacker can craft one
 * ciphertext that opens under two keys ("Fast Message Franking: From Invisible Salamanders to Encryptment", CRYPTO 2018)
 * and use a service that tries several keys as an oracle for many keys at once ("Partitioning Oracle Attacks", USENIX
 * Security 2021). HKDF's output is committing as long as SHA-256 is collision-resistant.
 *
 * @throws OpenError `malformed`, `commitment` or `tag`; never returns part of a value
 */
export function openEnvelope(key: MasterKey, text: string, place: SealedPlace): OpenedText {
  const { format, bytes } = decodeEnvelope(text);
  const salt = bytes.subarray(0, SALT_BYTES);
  const storedCommitment = bytes.subarray(SALT_BYTES, SALT_BYTES + COMMITMENT_BYTES);
  const ciphertext = bytes.subarray(SALT_BYTES + COMMITMENT_BYTES, -TAG_BYTES);
  const { encryptionKey, commitment } = key.deriveEnvelopeKeys(salt, INFO[format]);
  if (!timingSafeEqual(commitment, storedCommitment)) throw new OpenError('commitment');
  const decipher = createDecipheriv(ALGORITHM, encryptionKey, NONCE, GCM_OPTIONS);
  decipher.setAAD(encodePlace(place, key.digest));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plaintext = decipher.update(ciphertext);
  try {
    // This checks the tag. `plaintext` must not be used before.
    decipher.final();
  } catch {
    throw new OpenError('tag');
  }
  return format === 'v1' ? { text: plaintext.toString('utf8'), origins: null } : decodeBoundText(plaintext);
}

/**
 * Accepts exactly one encoding per envelope: base64url with non-zero trailing bits is rejected. A modified text therefore
 * never opens, not even to the same value.
 */
function decodeEnvelope(text: string): { format: keyof typeof INFO; bytes: Buffer } {
  const [, format, encoded = ''] = ENVELOPE.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64url');
  const isCanonical = bytes.length >= MIN_BYTES && `${format}:${bytes.toString('base64url')}` === text;
  if ((format !== 'v1' && format !== 'v2') || !isCanonical) throw new OpenError('malformed');
  return { format, bytes };
}

/** Prefixes each part with its length (4 bytes, big endian), so that no two places have the same encoding. */
function encodePlace({ table, column, rowId, ownerId }: SealedPlace, keyDigest: string): Buffer {
  return Buffer.concat([table, column, rowId, ownerId ?? '', keyDigest].flatMap(withLength));
}
