import { createHash, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** Length of a master key, in bytes. */
export const MASTER_KEY_BYTES = 32;

/** Length of each of the two values that are derived for one envelope, in bytes. */
const DERIVED_BYTES = 32;

/** Keeps the public name of a key apart from any other SHA-256 of the same bytes that somebody may have published. */
const DIGEST_PREFIX = 'gatehouse/master-key-digest/v1\0';

/** What HKDF makes of a master key for one envelope. */
export interface EnvelopeKeys {
  /** The AES-256 key of this envelope alone. */
  encryptionKey: Uint8Array;
  /** Ties the envelope to this master key and salt; may be stored in the clear. */
  commitment: Uint8Array;
}

/**
 * A master key. Its bytes cannot be read back: `inspect`, JSON and template strings show the digest only, so that a
 * keyring which ends up in a log tells which keys there are and nothing about them.
 */
export class MasterKey {
  /** The public name: lower-case hexadecimal SHA-256 of a fixed prefix and the key. Sealed values name it. */
  readonly digest: string;
  readonly #key: KeyObject;

  /** @throws RangeError when `bytes` are not 32 */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== MASTER_KEY_BYTES) throw new RangeError(`a master key has ${MASTER_KEY_BYTES} bytes`);
    this.#key = createSecretKey(bytes);
    this.digest = createHash('sha256').update(DIGEST_PREFIX).update(bytes).digest('hex');
  }

  /**
   * HKDF-SHA256 (RFC 5869) with the envelope's salt: 64 bytes, of which the first half encrypts and the second commits.
   *
   * @param info the use, so that another format never derives the same keys
   */
  deriveEnvelopeKeys(salt: Uint8Array, info: string): EnvelopeKeys {
    const derived = new Uint8Array(hkdfSync('sha256', this.#key, salt, info, 2 * DERIVED_BYTES));
    return { encryptionKey: derived.subarray(0, DERIVED_BYTES), commitment: derived.subarray(DERIVED_BYTES) };
  }

  toString(): string {
    return `MasterKey(${this.digest})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** A new random master key as standard base64, the form that `parseMasterKeys` reads. */
export function generateMasterKey(): string {
  return randomBytes(MASTER_KEY_BYTES).toString('base64');
}
