import { inspect } from 'node:util';
import { openEnvelope, type SealedPlace, sealEnvelope } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { OpenError, type OpenFailure } from '../../crypto/open-error.ts';
import { Secret } from '../../crypto/secret.ts';
import { DomainError } from '../../errors.ts';

/** Hooks for metrics and tests. They never receive a value. */
export interface SealingHooks {
  /** Called before each attempt to open a value. */
  onOpen?: ((place: SealedPlace) => void) | undefined;
  onOpenFailure?: ((place: SealedPlace, reason: OpenFailure) => void) | undefined;
}

/**
 * A sealed value in a row. It shows that a value exists and nothing more until `open` is called. Logs and JSON show
 * `[redacted]`; not even the ciphertext is readable.
 */
export class SealedValue {
  readonly #open: () => Secret;

  constructor(open: () => Secret) {
    this.#open = open;
  }

  /**
   * Opens the value. Each call decrypts again, so that the plaintext lives no longer than it is used.
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

/** The stored form of a value: the envelope, and the digest of the sealing key. */
export interface StoredValue {
  text: string;
  keyDigest: string;
}

/** Seals a value for its place with the active key. */
export function sealValue(keyring: Keyring, plaintext: string, place: SealedPlace): StoredValue {
  const key = keyring.active;
  return { text: sealEnvelope(key, plaintext, place), keyDigest: key.digest };
}

/**
 * Opens the value stored at a place.
 *
 * @throws OpenError, including `unknown_key`
 */
export function openValue(keyring: Keyring, { text, keyDigest }: StoredValue, place: SealedPlace): Secret {
  const key = keyring.find(keyDigest);
  if (key === undefined) throw new OpenError('unknown_key');
  return new Secret(openEnvelope(key, text, place));
}

/** Creates a value that opens on demand and reports failures as domain errors and to the hooks. */
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
