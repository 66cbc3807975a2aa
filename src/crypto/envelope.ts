import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from 'node:crypto';
import type { MasterKey } from './master-key.ts';
import { OpenError } from './open-error.ts';

const ALGORITHM = 'aes-256-gcm';
const PREFIX = 'v1:';
const INFO = 'gatehouse/envelope/v1';
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

/** A sealed value: the prefix, then base64url without padding (RFC 4648, section 5). */
const ENVELOPE = /^v1:[A-Za-z0-9_-]+$/;

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

const randomSalt = (): Uint8Array => randomBytes(SALT_BYTES);

/**
 * Seals a text for one place in the database. The result is `v1:` and the base64url of salt (32 bytes), key commitment
 * (32), ciphertext, and GCM tag (16). docs/adr/0002-sealed-values.md explains the format.
 *
 * @throws TypeError if the text has a lone surrogate: UTF-8 cannot encode it, so opening would return another text
 */
export function sealEnvelope(key: MasterKey, plaintext: string, place: SealedPlace): string {
  return sealWithSalt(key, plaintext, place, randomSalt());
}

/**
 * DANGEROUS outside known-answer tests: sealing two texts with one salt reuses key and nonce, which exposes both texts.
 *
 * @internal
 */
export function sealWithSalt(key: MasterKey, plaintext: string, place: SealedPlace, salt: Uint8Array): string {
  if (salt.length !== SALT_BYTES) throw new RangeError(`the salt must have ${SALT_BYTES} bytes`);
  if (LONE_SURROGATE.test(plaintext)) throw new TypeError('a text to seal must be well-formed Unicode');
  const { encryptionKey, commitment } = key.deriveEnvelopeKeys(salt, INFO);
  const cipher = createCipheriv(ALGORITHM, encryptionKey, NONCE, GCM_OPTIONS);
  cipher.setAAD(encodePlace(place, key.digest));
  const ciphertext = [cipher.update(plaintext, 'utf8'), cipher.final()];
  return PREFIX + Buffer.concat([salt, commitment, ...ciphertext, cipher.getAuthTag()]).toString('base64url');
}

/**
 * Opens a sealed value from the place where it was found.
 *
 * The commitment is compared first, in constant time. GCM alone does not commit to a key: an attacker can craft one
 * ciphertext that opens under two keys ("Fast Message Franking: From Invisible Salamanders to Encryptment", CRYPTO 2018)
 * and use a service that tries several keys as an oracle for many keys at once ("Partitioning Oracle Attacks", USENIX
 * Security 2021). HKDF's output is committing as long as SHA-256 is collision-resistant.
 *
 * @throws OpenError `malformed`, `commitment` or `tag`; never returns part of a value
 */
export function openEnvelope(key: MasterKey, text: string, place: SealedPlace): string {
  const bytes = decodeEnvelope(text);
  const salt = bytes.subarray(0, SALT_BYTES);
  const storedCommitment = bytes.subarray(SALT_BYTES, SALT_BYTES + COMMITMENT_BYTES);
  const ciphertext = bytes.subarray(SALT_BYTES + COMMITMENT_BYTES, -TAG_BYTES);
  const { encryptionKey, commitment } = key.deriveEnvelopeKeys(salt, INFO);
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
  return plaintext.toString('utf8');
}

/**
 * Accepts exactly one encoding per envelope: base64url with non-zero trailing bits is rejected. A modified text therefore
 * never opens, not even to the same value.
 */
function decodeEnvelope(text: string): Buffer {
  if (!ENVELOPE.test(text)) throw new OpenError('malformed');
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
  if (bytes.length < MIN_BYTES || PREFIX + bytes.toString('base64url') !== text) throw new OpenError('malformed');
  return bytes;
}

/** Prefixes each part with its length (4 bytes, big endian), so that no two places have the same encoding. */
function encodePlace({ table, column, rowId, ownerId }: SealedPlace, keyDigest: string): Buffer {
  const parts = [table, column, rowId, ownerId ?? '', keyDigest].map((part) => Buffer.from(part, 'utf8'));
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
