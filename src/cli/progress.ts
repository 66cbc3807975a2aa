const BAR_WIDTH = 30;
/** Lines for a log: one for each tenth. */
const LINES = 10;

/** Where progress is shown: `process.stderr`, so that the result alone is on standard output. */
export interface ProgressStream {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** A bar that is drawn over itself on a terminal, else a line for each tenth. Call `end` before anything is printed. */
export function createProgress(stream: ProgressStream, label: string) {
  let isDrawn = false;
  let lines = 0;
  return {
    show(done: number, total: number): void {
      const part = total === 0 ? 1 : done / total;
      if (stream.isTTY === true) {
        const filled = Math.round(part * BAR_WIDTH);
        const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}`;
        stream.write(`\r${label} [${bar}] ${Math.floor(part * 100)} % (${done} of ${total})`);
        isDrawn = true;
      } else if (Math.floor(part * LINES) > lines) {
        stream.write(`${label}: ${done} of ${total}\n`);
        lines = Math.floor(part * LINES);
      }
    },
    end(): void {
      if (isDrawn) stream.write('\n');
      isDrawn = false;
    },
  };
}
