import { inspect } from 'node:util';
import type { BoundText } from '../../crypto/bound-text.ts';
import { type OpenedText, openEnvelope, type SealedPlace, sealEnvelope } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { OpenError, type OpenFailure } from '../../crypto/open-error.ts';
import { Secret } from '../../crypto/secret.ts';
import { DomainError } from '../../errors.ts';
import { toOrigins } from './seal-for.ts';

/** Hooks for metrics and tests. They never receive a value. */
export interface SealingHooks {
  /** Called before each attempt to open a value. */
  onOpen?: ((place: SealedPlace) => void) | undefined;
  onOpenFailure?: ((place: SealedPlace, reason: OpenFailure) => void) | undefined;
}

/**
 * A sealed value in a row. It shows that a value exists and nothing more until `openFor` is called. Logs and JSON show
 * `[redacted]`; not even the ciphertext is readable.
 */
export class SealedValue {
  readonly #open: (urls: readonly string[]) => Secret;
  readonly #readOrigins: () => readonly string[] | null;

  constructor(open: (urls: readonly string[]) => Secret, readOrigins: () => readonly string[] | null) {
    this.#open = open;
    this.#readOrigins = readOrigins;
  }

  /**
   * Opens the value for the URLs that it is about to be sent to. Each call decrypts again, so that the plaintext lives no
   * longer than it is used. Empty URLs count as absent.
   *
   * @throws DomainError DECRYPTION_FAILED with `table`, `column`, `id` and `reason` when the value does not open, or was
   *   sealed for other origins. An old value without origins opens for any URL
   */
  openFor(...urls: readonly string[]): Secret {
    return this.#open(urls);
  }

  /**
   * The origins that the value was sealed for: what the gateway itself knows about where it may go, whatever the row says
   * now. Null when it does not open, or is an old value without origins.
   */
  readOrigins(): readonly string[] | null {
    return this.#readOrigins();
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
export function sealValue(keyring: Keyring, content: BoundText, place: SealedPlace): StoredValue {
  const key = keyring.active;
  return { text: sealEnvelope(key, content, place), keyDigest: key.digest };
}

/**
 * Opens the value stored at a place, to compare it or seal it again. What is sent to other systems is opened by
 * `openValue`.
 *
 * @throws OpenError, including `unknown_key`
 */
export function readValue(keyring: Keyring, { text, keyDigest }: StoredValue, place: SealedPlace): OpenedText {
  const key = keyring.find(keyDigest);
  if (key === undefined) throw new OpenError('unknown_key');
  return openEnvelope(key, text, place);
}

/**
 * Opens the value stored at a place, for the URLs that it is about to be sent to.
 *
 * @throws OpenError, including `unknown_key`, and `destination` when one URL is not of an origin that it was sealed for
 */
export function openValue(keyring: Keyring, stored: StoredValue, place: SealedPlace, urls: readonly string[]): Secret {
  const { text, origins } = readValue(keyring, stored, place);
  const isAllowed = toOrigins(urls).every((origin) => origins?.includes(origin) ?? true);
  if (!isAllowed) throw new OpenError('destination');
  return new Secret(text);
}

/** Creates a value that opens on demand and reports failures as domain errors and to the hooks. */
export function toSealedValue(
  keyring: Keyring,
  stored: StoredValue,
  place: SealedPlace,
  hooks: SealingHooks = {},
): SealedValue {
  const open = (urls: readonly string[]): Secret => {
    hooks.onOpen?.(place);
    try {
      return openValue(keyring, stored, place, urls);
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      hooks.onOpenFailure?.(place, error.reason);
      throw decryptionFailed(place, error.reason);
    }
  };
  const readOrigins = (): readonly string[] | null => {
    try {
      return readValue(keyring, stored, place).origins;
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      return null;
    }
  };
  return new SealedValue(open, readOrigins);
}

const NOT_OPENED = 'A stored secret cannot be opened. Enter it again, or restore its key.';
const MISDIRECTED =
  'A stored secret is not sent to the present URLs of its server, because they were changed outside of the gateway. Correct the URLs, or confirm them and enter the secret again.';

function decryptionFailed({ table, column, rowId }: SealedPlace, reason: OpenFailure): DomainError {
  const message = reason === 'destination' ? MISDIRECTED : NOT_OPENED;
  return new DomainError('DECRYPTION_FAILED', message, { table, column, id: rowId, reason: reason.toUpperCase() });
}
