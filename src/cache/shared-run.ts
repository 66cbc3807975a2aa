/**
 * Runs expensive work at most once at a time: callers that come during a run get its result, or its error.
 *
 * @returns a function that starts the work or joins the current run
 */
export function createSharedRun<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}
