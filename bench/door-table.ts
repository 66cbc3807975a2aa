import type { Contestant } from './contestant.ts';
import { at, load, type McpRequest, type McpTarget } from './mcp-load.ts';
import { formatRows } from './table.ts';

const ROUNDS = 4;
const WARM_UP_SECONDS = 1;
const CONNECTIONS = 16;

/** One way to the same answer. */
export interface Rival {
  name: string;
  /** Whose processor time counts. */
  server: Contestant;
  target: McpTarget;
  request: McpRequest;
}

/** All that was measured of one way, with one connection and with several. */
interface Sums {
  rival: Rival;
  alone: number[];
  together: number[];
  seconds: number;
  cpuMs: number;
}

/**
 * Measures ways to the same answer in turns, so that other work on the machine slows all of them alike.
 *
 * @param options.seconds for each of them
 * @returns a table; its ratios compare with the first one
 */
export async function compareLoads(
  rivals: readonly Rival[],
  { seconds, expected }: { seconds: number; expected: string },
): Promise<string> {
  const run = ({ target, request }: Rival, connections: number, duration: number) =>
    load(target, request, { connections, until: { seconds: duration }, expected });
  const all: Sums[] = rivals.map((rival) => ({ rival, alone: [], together: [], seconds: 0, cpuMs: 0 }));
  for (const { rival } of all) await run(rival, CONNECTIONS, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const sums of all) {
      const { rival } = sums;
      sums.alone.push(...(await run(rival, 1, seconds / ROUNDS / 2)).sortedMs);
      const before = await rival.server.cpuMs();
      const { sortedMs, seconds: took } = await run(rival, CONNECTIONS, seconds / ROUNDS / 2);
      const after = await rival.server.cpuMs();
      sums.together.push(...sortedMs);
      sums.seconds += took;
      sums.cpuMs += (after ?? Number.NaN) - (before ?? Number.NaN);
    }
  }
  return format(all);
}

function format(all: readonly Sums[]): string {
  const measured = all.map(({ rival, alone, together, seconds, cpuMs }) => {
    const [one, many] = [alone, together].map((ms) => ({ sortedMs: ms.sort((a, b) => a - b) }));
    return {
      name: rival.name,
      alone: one === undefined ? [] : [at(one, 0.5), at(one, 0.99)],
      together: many === undefined ? [] : [at(many, 0.5), at(many, 0.99)],
      rate: together.length / seconds,
      cpuMs: cpuMs / together.length,
    };
  });
  const [base] = measured;
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  const times = (value: number): string => `${value.toFixed(2)} ×`;
  const rows = measured.map(({ name, alone, together, rate, cpuMs }) => [
    name,
    ...alone.map(ms),
    times((alone[0] ?? Number.NaN) / (base?.alone[0] ?? Number.NaN)),
    Math.round(rate).toLocaleString('en'),
    times(rate / (base?.rate ?? Number.NaN)),
    ...together.map(ms),
    Number.isNaN(cpuMs) ? 'unknown' : ms(cpuMs),
    Number.isNaN(cpuMs) ? 'unknown' : times(cpuMs / (base?.cpuMs ?? Number.NaN)),
  ]);
  const many = `${CONNECTIONS} at once`;
  const header = ['', 'p50', 'p99', 'p50, ratio', many, 'ratio', 'p50', 'p99', 'CPU each', 'ratio'];
  return formatRows(header, rows);
}
