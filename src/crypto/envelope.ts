import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from 'node:crypto';
import type { MasterKey } from './master-key.ts';
import { OpenError } from './open-error.ts';

const ALGORITHM = 'aes-256-gcm';
const PREFIX = 'v1:';
const INFO = 'gatehouse/envelope/v1';
const SALT_BYTES = 32;
const COMMITMENT_BYTES = 32;
const TAG_BYTES = 16;
const LEAST_BYTES = SALT_BYTES + COMMITMENT_BYTES + TAG_BYTES;

/**
 * GCM breaks when a key meets a nonce twice (NIST SP 800-38D, section 8). Each envelope has a key of its own, from a
 * salt of 256 random bits, which encrypts exactly one message: the nonce may then be constant, and the limit of 2^32
 * random nonces under one key does not apply.
 */
const NONCE = new Uint8Array(12);

/** Node would take tags from 4 bytes on, which an attacker can guess, unless the length is fixed. */
const GCM_OPTIONS = { authTagLength: TAG_BYTES };

/** A sealed value: the prefix and base64url without padding (RFC 4648, section 5). */
const ENVELOPE = /^v1:[A-Za-z0-9_-]+$/;

/** In a regular expression with the `u` flag only a surrogate without its other half is one code point. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Where a value belongs. It opens nowhere else: all of this is authenticated together with it. */
export interface SealedPlace {
  table: string;
  column: string;
  /** The row's primary key as the database prints it. */
  rowId: string;
  /** The user whom the row belongs to, if it belongs to one. */
  ownerId: string | undefined;
}

/** Where randomness comes from; tests with frozen results give their own through `sealWithSalt`. */
const randomSalt = (): Uint8Array => randomBytes(SALT_BYTES);

/**
 * Seals a text for one place in the database: `v1:` and base64url of salt (32 bytes), key commitment (32), ciphertext,
 * and GCM tag (16). Format and reasons: docs/adr/0002-sealed-values.md.
 *
 * @throws TypeError for a text with half a surrogate pair: UTF-8 cannot carry it, so another text would come back
 */
export function sealEnvelope(key: MasterKey, plaintext: string, place: SealedPlace): string {
  return sealWithSalt(key, plaintext, place, randomSalt());
}

/**
 * DANGEROUS outside of known-answer tests: sealing two texts with one salt uses key and nonce twice and gives both away.
 *
 * @internal
 */
export function sealWithSalt(key: MasterKey, plaintext: string, place: SealedPlace, salt: Uint8Array): string {
  if (salt.length !== SALT_BYTES) throw new RangeError(`the salt has ${SALT_BYTES} bytes`);
  if (LONE_SURROGATE.test(plaintext)) throw new TypeError('a text to seal must be well-formed Unicode');
  const { encryptionKey, commitment } = key.deriveEnvelopeKeys(salt, INFO);
  const cipher = createCipheriv(ALGORITHM, encryptionKey, NONCE, GCM_OPTIONS);
  cipher.setAAD(encodePlace(place, key.digest));
  const ciphertext = [cipher.update(plaintext, 'utf8'), cipher.final()];
  return PREFIX + Buffer.concat([salt, commitment, ...ciphertext, cipher.getAuthTag()]).toString('base64url');
}

/**
 * Opens a sealed value at the place where it was found.
 *
 * The commitment is compared first, in constant time. GCM alone does not commit to a key: one ciphertext can be made
 * that opens under two keys ("Fast Message Franking: From Invisible Salamanders to Encryptment", CRYPTO 2018), and a
 * service which tries several keys can then be asked about many keys at once ("Partitioning Oracle Attacks", USENIX
 * Security 2021). HKDF's output commits, as far as SHA-256 has no collisions.
 *
 * @throws OpenError `malformed`, `commitment` or `tag`; never returns a part of a value
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
    // Nothing of `plaintext` may leave before this has checked the tag.
    decipher.final();
  } catch {
    throw new OpenError('tag');
  }
  return plaintext.toString('utf8');
}

/**
 * One text per envelope: base64url whose last character has bits to spare is refused unless they are zero, so that no
 * changed text opens, not even to the same value.
 */
function decodeEnvelope(text: string): Buffer {
  if (!ENVELOPE.test(text)) throw new OpenError('malformed');
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
  if (bytes.length < LEAST_BYTES || PREFIX + bytes.toString('base64url') !== text) throw new OpenError('malformed');
  return bytes;
}

/** Each part after its length in 4 bytes, big endian: no two places have the same encoding. */
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
