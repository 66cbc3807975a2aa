/**
 * Runs `work` on request, never twice at once. Callers that arrive during a run share the next one, so each caller gets
 * a run that started after its request, and nobody waits for later callers.
 */
export function createRerun(work: () => Promise<void>) {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const start = (): Promise<void> => {
    next = undefined;
    const run = work().finally(() => {
      if (current === run) current = undefined;
    });
    current = run;
    return run;
  };

  return {
    run(): Promise<void> {
      if (next !== undefined) return next;
      if (current === undefined) return start();
      next = current.then(start, start);
      return next;
    },

    /** The current run, if any. */
    current: (): Promise<void> | undefined => current,

    /** Resolves when no run is in progress, whether it succeeded or failed. */
    async settle(): Promise<void> {
      while (current !== undefined || next !== undefined) await (next ?? current)?.catch(() => undefined);
    },
  };
}
