import type { Caller, CallHour } from '../../data/records.ts';
import { noDurations, toStep } from './duration-steps.ts';

const HOUR_MS = 3_600_000;

/** A call that has ended, as far as it is counted. */
export interface CountedCall {
  configId: string;
  /** As whom the server was called. */
  userId: string;
  outcome: 'success' | 'tool_error' | 'denied' | 'failed';
  ms: number;
}

/** When the hour of a moment began. */
export function toHour(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / HOUR_MS) * HOUR_MS);
}

/** The hours before one. */
export function hoursBefore(hour: Date, count: number): Date {
  return new Date(hour.getTime() - count * HOUR_MS);
}

/** Adds up calls by server and hour. */
export class CallTallies {
  readonly #hours = new Map<string, CallHour>();
  readonly #callers = new Map<string, Caller>();

  /** The number of entries. */
  get size(): number {
    return this.#hours.size + this.#callers.size;
  }

  add({ configId, userId, outcome, ms }: CountedCall, hour: Date): void {
    if (outcome === 'denied') {
      this.#addHour({ ...noCalls(configId, hour), denied: 1 });
      return;
    }
    const durations = noDurations();
    durations[toStep(ms)] = 1;
    const errors = outcome === 'success' ? 0 : 1;
    this.#addHour({ configId, hour, calls: 1, errors, denied: 0, durations });
    this.#addCaller({ configId, userId, hour });
  }

  /** Adds all that others have. */
  addAll(others: CallTallies): void {
    for (const hour of others.#hours.values()) this.#addHour(hour);
    for (const caller of others.#callers.values()) this.#addCaller(caller);
  }

  list(): { hours: CallHour[]; callers: Caller[] } {
    return { hours: [...this.#hours.values()], callers: [...this.#callers.values()] };
  }

  #addHour(added: CallHour): void {
    const key = `${added.configId} ${added.hour.getTime()}`;
    const found = this.#hours.get(key) ?? noCalls(added.configId, added.hour);
    this.#hours.set(key, {
      ...found,
      calls: found.calls + added.calls,
      errors: found.errors + added.errors,
      denied: found.denied + added.denied,
      durations: found.durations.map((count, step) => count + (added.durations[step] ?? 0)),
    });
  }

  #addCaller(caller: Caller): void {
    const key = `${caller.configId} ${caller.userId}`;
    const found = this.#callers.get(key);
    if (found === undefined || found.hour < caller.hour) this.#callers.set(key, caller);
  }
}

function noCalls(configId: string, hour: Date): CallHour {
  return { configId, hour, calls: 0, errors: 0, denied: 0, durations: noDurations() };
}
