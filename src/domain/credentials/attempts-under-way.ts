import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';

const MAX_WAITING = CREDENTIAL_LIMITS.waitingCredentials.value;
const WAIT_MS = CREDENTIAL_LIMITS.credentialPatience.value;

/** The attempts of one network. */
interface Attempts {
  count: number;
  /** Those that wait for the end of one, oldest first. */
  waiting: Set<() => void>;
}

/** Counts the credentials of each network that are being verified, and lets others wait for the end of one. */
export class AttemptsUnderWay {
  readonly #byNetwork = new Map<string, Attempts>();
  #waiting = 0;

  count(network: string): number {
    return this.#byNetwork.get(network)?.count ?? 0;
  }

  begin(network: string): void {
    const attempts = this.#byNetwork.get(network) ?? { count: 0, waiting: new Set() };
    attempts.count += 1;
    this.#byNetwork.set(network, attempts);
  }

  /** One who waits may look again; all, if no attempt is left whose end they would hear of. */
  end(network: string): void {
    const attempts = this.#byNetwork.get(network);
    if (attempts === undefined) return;
    attempts.count -= 1;
    if (attempts.count === 0) this.#byNetwork.delete(network);
    for (const wake of attempts.waiting) {
      wake();
      if (attempts.count > 0) return;
    }
  }

  /**
   * Waits for the end of an attempt.
   *
   * @param since when the waiting began, by `performance.now()`
   * @returns whether it is worth looking again: not without an attempt, after too long, or when too many wait
   */
  async wait(network: string, since: number): Promise<boolean> {
    const waiting = this.#byNetwork.get(network)?.waiting;
    const leftMs = since + WAIT_MS - performance.now();
    if (waiting === undefined || leftMs <= 0 || this.#waiting >= MAX_WAITING) return false;
    this.#waiting += 1;
    return new Promise((resolve) => {
      const stop = (isWorthIt: boolean): void => {
        clearTimeout(timer);
        waiting.delete(wake);
        this.#waiting -= 1;
        resolve(isWorthIt);
      };
      const wake = (): void => stop(true);
      const timer = setTimeout(() => stop(false), leftMs).unref();
      waiting.add(wake);
    });
  }
}
