import type { Bounded, CacheBounds, CacheStatus } from '../../cache/bounded-map.ts';

/** What was counted within one window of time. */
export interface Window {
  points: number;
  endsAt: Date;
}

/** Keeps counts, in memory or in the database. */
export interface Counts {
  /**
   * Adds points to a count. A window that has ended begins anew, with these points alone.
   *
   * @param options.restart begins anew in any case
   */
  add(name: string, points: number, options: { windowMs: number; restart: boolean }): Promise<Window>;
}

/** What a window and its name need in memory. */
const WINDOW_BYTES = 400;
/** When all places are taken, ended windows are looked for at most this often. */
const SWEEP_INTERVAL_MS = 1_000;

/** Counts in memory. When there are too many, the window that began first goes. Add it to the caches, so that it is listed. */
export class WindowCounts implements Counts, Bounded {
  readonly #windows = new Map<string, Window>();
  readonly #bounds: CacheBounds;
  readonly #now: () => Date;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(bounds: CacheBounds, now: () => Date) {
    this.#bounds = bounds;
    this.#now = now;
  }

  async add(name: string, points: number, options: { windowMs: number; restart: boolean }): Promise<Window> {
    return this.addNow(name, points, options);
  }

  /** The same, without waiting. */
  addNow(name: string, points: number, { windowMs, restart }: { windowMs: number; restart: boolean }): Window {
    const at = this.#now().getTime();
    const known = this.#windows.get(name);
    if (known !== undefined && !restart && known.endsAt.getTime() > at) {
      known.points += points;
      // A copy: others may count before the caller reads it.
      return { ...known };
    }
    const begun: Window = { points, endsAt: new Date(at + windowMs) };
    // At the end: the first one is the one that began first.
    this.#windows.delete(name);
    this.#windows.set(name, begun);
    if (this.#windows.size > this.#bounds.maxEntries) {
      const [oldest = name] = this.#windows.keys();
      this.#windows.delete(oldest);
    }
    return { ...begun };
  }

  /** Whether a count with this name needs no further place: it has one, or there is one. */
  hasPlace(name: string): boolean {
    const { maxEntries } = this.#bounds;
    // One place is left for those that have none of their own.
    const isFull = () => this.#windows.size >= maxEntries - 1;
    if (this.#windows.has(name) || !isFull()) return true;
    const at = this.#now().getTime();
    if (at - this.#sweptAt < SWEEP_INTERVAL_MS) return false;
    this.#sweptAt = at;
    for (const [each, { endsAt }] of this.#windows) if (endsAt.getTime() <= at) this.#windows.delete(each);
    return !isFull();
  }

  status(): CacheStatus {
    return { ...this.#bounds, entries: this.#windows.size, bytes: this.#windows.size * WINDOW_BYTES };
  }
}
