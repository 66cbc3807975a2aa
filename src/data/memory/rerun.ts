/**
 * Runs `work` for whoever asks, never twice at once: who asks while it runs shares one more run with all others who do,
 * so that each gets a run that began after he asked, and nobody waits for those who came later.
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

    /** The run that is under way, if there is one. */
    current: (): Promise<void> | undefined => current,

    /** Resolves when nothing runs any more, however it ended. */
    async settle(): Promise<void> {
      while (current !== undefined || next !== undefined) await (next ?? current)?.catch(() => undefined);
    },
  };
}
