import { createRequire } from 'node:module';
import type * as Library from 'rate-limiter-flexible';
import { type LimitUse, noteLimit } from '../../telemetry/request-scope.ts';
import type { Counts, Window } from './window-counts.ts';

// Its entry has the limiters for databases with clients of their own, but not the class that all of them extend.
const RateLimiterStoreAbstract = createRequire(import.meta.url)(
  'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js',
) as typeof Library.RateLimiterStoreAbstract;
const RateLimiterRes = createRequire(import.meta.url)(
  'rate-limiter-flexible/lib/RateLimiterRes.js',
) as typeof Library.RateLimiterRes;

/** All limits count by the minute, so that nobody waits for longer. */
const WINDOW_SECONDS = 60;

/** Whether something was allowed, and what is left of the limit. */
export interface Taken {
  isAllowed: boolean;
  /** What was taken within the window, this included. */
  taken: number;
  remaining: number;
  /** Whole seconds until the window ends, at least one. */
  retryAfterSeconds: number;
}

/** Counts what happens within a minute, and refuses what is too much. */
export class RateLimiter extends RateLimiterStoreAbstract {
  readonly #counts: Counts;
  readonly #now: () => Date;

  /** @param options.perMinute what is still allowed */
  constructor({ perMinute, counts, now }: { perMinute: number; counts: Counts; now: () => Date }) {
    super({ points: perMinute, duration: WINDOW_SECONDS, keyPrefix: '', storeClient: counts });
    this.#counts = counts;
    this.#now = now;
  }

  /** Takes points. They count even if they are refused, but nothing is refused for longer because of that. */
  async take(name: string, points = 1): Promise<Taken> {
    try {
      return toTaken(true, await this.consume(name, points));
    } catch (error) {
      if (error instanceof RateLimiterRes) return toTaken(false, error);
      throw error;
    }
  }

  /** How a point is counted. */
  get window(): { windowMs: number; restart: boolean } {
    return { windowMs: this.msDuration, restart: false };
  }

  /** What it means that a point was counted directly. */
  toTaken(name: string, counted: Window): Taken {
    return toTaken(counted.points <= this.points, this._getRateLimiterRes(name, 1, counted));
  }

  /**
   * Lets the answer to the current request tell what is left.
   *
   * @param policy the name of the limit in header fields
   */
  tell(policy: string, taken: Taken): void {
    noteLimit(this.toUse(policy, taken));
  }

  /** What an answer tells of it. */
  toUse(policy: string, { isAllowed, remaining, retryAfterSeconds }: Taken): LimitUse {
    return {
      policy,
      quota: this.points,
      windowSeconds: WINDOW_SECONDS,
      remaining,
      resetSeconds: retryAfterSeconds,
      isExceeded: !isAllowed,
    };
  }

  /** What the library calls to count. */
  _upsert(name: string, points: number, windowMs: number, restart: boolean): Promise<Window> {
    return this.#counts.add(name, points, { windowMs, restart });
  }

  /** What the library calls to read a count. Another replica's clock may differ, but no window is longer than its length. */
  _getRateLimiterRes(_name: string, added: number, { points, endsAt }: Window): Library.RateLimiterRes {
    const leftMs = Math.min(Math.max(endsAt.getTime() - this.#now().getTime(), 0), this.msDuration);
    return new RateLimiterRes(Math.max(this.points - points, 0), leftMs, points, points === added);
  }
}

function toTaken(isAllowed: boolean, { consumedPoints, remainingPoints, msBeforeNext }: Library.RateLimiterRes): Taken {
  const retryAfterSeconds = Math.max(1, Math.ceil(msBeforeNext / 1_000));
  return { isAllowed, taken: consumedPoints, remaining: remainingPoints, retryAfterSeconds };
}
