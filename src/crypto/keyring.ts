import type { MasterKey } from './master-key.ts';

/**
 * The master keys of this process: one that seals, and any number that only open. Keys change while the gateway runs,
 * because rotation is online: a new key is first added on every replica as an opening key, then promoted.
 */
export class Keyring {
  #active: MasterKey;
  readonly #byDigest = new Map<string, MasterKey>();

  /** @param keys at least one; the first seals, all open */
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

  /** All keys including the active one, in the order they were added. */
  get keys(): readonly MasterKey[] {
    return [...this.#byDigest.values()];
  }

  /** Finds a key by its digest, whether it seals or only opens. */
  find(digest: string): MasterKey | undefined {
    return this.#byDigest.get(digest);
  }

  /** Adds a key that only opens. Does nothing if the key is already present. */
  add(key: MasterKey): void {
    if (!this.#byDigest.has(key.digest)) this.#byDigest.set(key.digest, key);
  }

  /**
   * Makes an opening key the one that seals. The previous one still opens.
   *
   * @throws RangeError when no key has this digest
   */
  promote(digest: string): void {
    const key = this.#byDigest.get(digest);
    if (key === undefined) throw new RangeError(`the keyring has no key with the digest ${digest}`);
    this.#active = key;
  }

  /**
   * Removes an opening key after its revocation. Does nothing if the key is not present.
   *
   * @throws RangeError for the key that seals
   */
  remove(digest: string): void {
    if (digest === this.#active.digest) throw new RangeError('the key that seals cannot be removed');
    this.#byDigest.delete(digest);
  }
}
