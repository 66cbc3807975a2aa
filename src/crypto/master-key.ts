import { createHash, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** Length of a master key, in bytes. */
export const MASTER_KEY_BYTES = 32;

/** Length of each of the two values derived for one envelope, in bytes. */
const DERIVED_BYTES = 32;

/** Domain separation: the digest differs from any plain SHA-256 of the same bytes that may have been published. */
const DIGEST_PREFIX = 'gatehouse/master-key-digest/v1\0';

/** Domain separation: no other format derives the same keys. */
const CURSOR_INFO = 'gatehouse/cursor/v1';

/** The values that HKDF derives from a master key for one envelope. */
export interface EnvelopeKeys {
  /** The AES-256 key of this envelope only. */
  encryptionKey: Uint8Array;
  /** Binds the envelope to this master key and salt. May be stored in plain text. */
  commitment: Uint8Array;
}

/** The values that HKDF derives from a master key for cursors. */
export interface CursorKeys {
  encryptionKey: Uint8Array;
  macKey: Uint8Array;
}

/**
 * A master key. Its bytes cannot be read back: `inspect`, JSON and template strings show only the digest, so a keyring in
 * a log reveals which keys exist but not the keys.
 */
export class MasterKey {
  /** Public identifier: lower-case hexadecimal SHA-256 of a fixed prefix and the key. Sealed values refer to it. */
  readonly digest: string;
  readonly #key: KeyObject;
  #cursorKeys: CursorKeys | undefined;

  /** @throws RangeError unless there are exactly 32 bytes */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== MASTER_KEY_BYTES) throw new RangeError(`a master key must have ${MASTER_KEY_BYTES} bytes`);
    this.#key = createSecretKey(bytes);
    this.digest = createHash('sha256').update(DIGEST_PREFIX).update(bytes).digest('hex');
  }

  /**
   * Derives 64 bytes by HKDF-SHA256 (RFC 5869) with the envelope's salt. The first half encrypts, the second commits.
   *
   * @param info names the format, so that no other format derives the same keys
   */
  deriveEnvelopeKeys(salt: Uint8Array, info: string): EnvelopeKeys {
    const derived = new Uint8Array(hkdfSync('sha256', this.#key, salt, info, 2 * DERIVED_BYTES));
    return { encryptionKey: derived.subarray(0, DERIVED_BYTES), commitment: derived.subarray(DERIVED_BYTES) };
  }

  /** The keys that encrypt and authenticate cursors, derived by HKDF-SHA256 (RFC 5869) without a salt. */
  get cursorKeys(): CursorKeys {
    if (this.#cursorKeys !== undefined) return this.#cursorKeys;
    const derived = new Uint8Array(hkdfSync('sha256', this.#key, '', CURSOR_INFO, 2 * DERIVED_BYTES));
    this.#cursorKeys = { encryptionKey: derived.subarray(0, DERIVED_BYTES), macKey: derived.subarray(DERIVED_BYTES) };
    return this.#cursorKeys;
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

/** Generates a random master key as standard base64, the format that `parseMasterKeys` reads. */
export function generateMasterKey(): string {
  return randomBytes(MASTER_KEY_BYTES).toString('base64');
}
