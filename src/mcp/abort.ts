/** Waits for the work, or rejects with the signal's reason. The work goes on; its failure is ignored then. */
export async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** A signal that follows others. */
export interface Followed {
  signal: AbortSignal;
  /** Aborts it, whatever the others do. */
  abort(reason?: unknown): void;
  /** Follows them no more. */
  end(): void;
}

/**
 * Creates a signal that is aborted when one of others is. What `AbortSignal.any` of Node 20 makes is never forgotten by
 * signals that live longer, and costs more than some calls.
 */
export function followSignals(...signals: readonly (AbortSignal | undefined)[]): Followed {
  const controller = new AbortController();
  const onAbort = (event: Event): void => controller.abort((event.target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal?.aborted === true) controller.abort(signal.reason);
    else signal?.addEventListener('abort', onAbort);
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    end() {
      for (const signal of signals) signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** Runs work with a signal that is aborted when another one is, and after some time, for the reason of `AbortSignal.timeout`. */
export async function withinTime<Result>(
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { signal, abort, end } = followSignals(outer);
  const timer = setTimeout(() => abort(new DOMException('It took too long.', 'TimeoutError')), ms).unref();
  try {
    return await work(signal);
  } finally {
    clearTimeout(timer);
    end();
  }
}
