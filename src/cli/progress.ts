const BAR_WIDTH = 30;
/** Progress lines in a log: one for every 10 %. */
const LINES = 10;

/** The output of the progress, `process.stderr`: standard output has only the result. */
export interface ProgressStream {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows a progress bar on a terminal, else a line for every 10 %. Call `end` before printing anything else. */
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
