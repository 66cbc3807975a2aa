/** The size of a bucket. */
export interface BucketLimits {
  /** How many tokens it holds at most. A new bucket is full. */
  capacity: number;
  /** How many tokens it gains per second. */
  perSecond: number;
}

/** Limits how often something happens: a burst at once, and then a steady rate. Times are in milliseconds. */
export class TokenBucket {
  readonly #limits: BucketLimits;
  #tokens: number;
  #refilledAt: number;

  constructor(limits: BucketLimits, at: number) {
    this.#limits = limits;
    this.#tokens = limits.capacity;
    this.#refilledAt = at;
  }

  /** Takes one token, unless less than one is left. @returns whether it was taken */
  take(at: number): boolean {
    if (this.level(at) < 1) return false;
    this.spend(at, 1);
    return true;
  }

  /** Takes tokens in any case. More than there are become a debt, which is paid off before others can be taken. */
  spend(at: number, amount: number): void {
    this.#tokens = this.level(at) - amount;
    // A clock that goes back gives nothing twice.
    this.#refilledAt = Math.max(at, this.#refilledAt);
  }

  /** Gives tokens back. */
  refund(amount: number): void {
    this.#tokens = Math.min(this.#limits.capacity, this.#tokens + amount);
  }

  /** How many tokens are left; negative for a debt. */
  level(at: number): number {
    const { capacity, perSecond } = this.#limits;
    const seconds = Math.max(0, at - this.#refilledAt) / 1_000;
    return Math.min(capacity, this.#tokens + seconds * perSecond);
  }

  /** Whether nothing was taken recently: such a bucket may be removed. */
  isFull(at: number): boolean {
    return this.level(at) >= this.#limits.capacity;
  }
}
