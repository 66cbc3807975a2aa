import type { MasterKey } from './master-key.ts';

/**
 * The master keys of this process: one that seals, and any number that only open. It changes while the gateway runs,
 * because rotation is online: a new key is first added everywhere as one that opens, and only then promoted.
 */
export class Keyring {
  #active: MasterKey;
  readonly #byDigest = new Map<string, MasterKey>();

  /** @param keys the first seals, all open; at least one */
  constructor(keys: readonly MasterKey[]) {
    const [active] = keys;
    if (active === undefined) throw new RangeError('a keyring needs at least one key');
    this.#active = active;
    for (const key of keys) this.add(key);
  }

  /** The key that seals new values. */
  get active(): MasterKey {
    return this.#active;
  }

  /** All keys, the active one included, in the order in which they came. */
  get keys(): readonly MasterKey[] {
    return [...this.#byDigest.values()];
  }

  /** The key with this digest, whether it seals or only opens. */
  find(digest: string): MasterKey | undefined {
    return this.#byDigest.get(digest);
  }

  /** Adds a key that only opens. A key that is there already stays what it is. */
  add(key: MasterKey): void {
    if (!this.#byDigest.has(key.digest)) this.#byDigest.set(key.digest, key);
  }

  /**
   * Makes a key that only opens the one that seals; the former one goes on opening.
   *
   * @throws RangeError when no key has this digest
   */
  promote(digest: string): void {
    const key = this.#byDigest.get(digest);
    if (key === undefined) throw new RangeError(`the keyring has no key with the digest ${digest}`);
    this.#active = key;
  }

  /**
   * Forgets a key that only opens, once it is revoked. Forgetting one that is not there does nothing.
   *
   * @throws RangeError for the key that seals
   */
  remove(digest: string): void {
    if (digest === this.#active.digest) throw new RangeError('the key that seals cannot be removed');
    this.#byDigest.delete(digest);
  }
}
