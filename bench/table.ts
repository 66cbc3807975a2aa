import type { Measurement } from './measure.ts';

/**
 * Formats the measurements as a Markdown table, the fastest last.
 *
 * @param base name of the contestant that the ratios compare with
 */
export function formatTable(measurements: readonly Measurement[], base: string): string {
  const baseRate = measurements.find(({ name }) => name === base)?.requestsPerSecond ?? Number.NaN;
  const sorted = measurements.toSorted((a, b) => a.requestsPerSecond - b.requestsPerSecond);
  const rows = sorted.map(({ name, requestsPerSecond, p50Ms, p99Ms, cpuMsPerRequest }) => [
    name,
    Math.round(requestsPerSecond).toLocaleString('en'),
    `${p50Ms} ms`,
    `${p99Ms} ms`,
    cpuMsPerRequest === undefined ? 'unknown' : `${cpuMsPerRequest.toFixed(2)} ms`,
    `${(requestsPerSecond / baseRate).toFixed(2)} ×`,
  ]);
  const header = ['', 'requests/s', 'p50', 'p99', 'CPU per request', `against ${base}`];
  return formatRows(header, rows);
}

/** Formats rows as a Markdown table. The first column has names, the others have numbers. */
export function formatRows(header: readonly string[], rows: readonly string[][]): string {
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? title).length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** Aligns names left and numbers right. */
function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
