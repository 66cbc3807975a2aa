import { inspect } from 'node:util';
import { openEnvelope, type SealedPlace, sealEnvelope } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { OpenError, type OpenFailure } from '../../crypto/open-error.ts';
import { Secret } from '../../crypto/secret.ts';
import { DomainError } from '../../errors.ts';

/** What a metric or a test may learn of the opening of values. Never the value. */
export interface SealingHooks {
  /** Before each attempt to open a value. */
  onOpen?: ((place: SealedPlace) => void) | undefined;
  onOpenFailure?: ((place: SealedPlace, reason: OpenFailure) => void) | undefined;
}

/**
 * A sealed value as a row has it: that it is there, and nothing else until `open` is called. Logs and JSON show
 * `[redacted]`; not even the ciphertext can be read from it.
 */
export class SealedValue {
  readonly #open: () => Secret;

  constructor(open: () => Secret) {
    this.#open = open;
  }

  /**
   * Opens the value, anew at each call: the plaintext lives no longer than its use.
   *
   * @throws DomainError DECRYPTION_FAILED with `table`, `column` and `id` when the value does not open
   */
  open(): Secret {
    return this.#open();
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}

/** What is stored of a value: the envelope, and the digest of the key that sealed it. */
export interface StoredValue {
  text: string;
  keyDigest: string;
}

/** Seals a value for its place with the key that is active now. */
export function sealValue(keyring: Keyring, plaintext: string, place: SealedPlace): StoredValue {
  const key = keyring.active;
  return { text: sealEnvelope(key, plaintext, place), keyDigest: key.digest };
}

/**
 * Opens what is stored at a place.
 *
 * @throws OpenError, `unknown_key` among its reasons
 */
export function openValue(keyring: Keyring, { text, keyDigest }: StoredValue, place: SealedPlace): Secret {
  const key = keyring.find(keyDigest);
  if (key === undefined) throw new OpenError('unknown_key');
  return new Secret(openEnvelope(key, text, place));
}

/** A value that opens when it is asked to, with the failure told as a domain error and to the hooks. */
export function toSealedValue(
  keyring: Keyring,
  stored: StoredValue,
  place: SealedPlace,
  hooks: SealingHooks = {},
): SealedValue {
  return new SealedValue(() => {
    hooks.onOpen?.(place);
    try {
      return openValue(keyring, stored, place);
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      hooks.onOpenFailure?.(place, error.reason);
      throw decryptionFailed(place);
    }
  });
}

function decryptionFailed({ table, column, rowId }: SealedPlace): DomainError {
  return new DomainError('DECRYPTION_FAILED', 'A stored secret cannot be opened. Enter it again, or restore its key.', {
    table,
    column,
    id: rowId,
  });
}
