import { CACHE_BOUNDS, type CacheLimit } from '../src/limits/cache-bounds.ts';
import { CONNECTION_LIMITS } from '../src/limits/connection-limits.ts';
import { CREDENTIAL_LIMITS } from '../src/limits/credential-limits.ts';
import { FIELD_LIMITS } from '../src/limits/field-limits.ts';
import type { Limit, LimitUnit } from '../src/limits/limit.ts';
import { MCP_LIMITS } from '../src/limits/mcp-limits.ts';
import { OPERATION_LIMITS } from '../src/limits/operation-limits.ts';
import { OUTBOUND_LIMITS } from '../src/limits/outbound-limits.ts';
import { QUOTAS } from '../src/limits/quotas.ts';
import { REQUEST_LIMITS } from '../src/limits/request-limits.ts';

/** The limits of each kind, by the name of the object that the code imports. */
export const LIMITS: Readonly<Record<string, { kind: string; limits: Readonly<Record<string, Limit>> }>> = {
  QUOTAS: { kind: 'quota', limits: QUOTAS },
  REQUEST_LIMITS: { kind: 'request', limits: REQUEST_LIMITS },
  OPERATION_LIMITS: { kind: 'operation', limits: OPERATION_LIMITS },
  CONNECTION_LIMITS: { kind: 'connection', limits: CONNECTION_LIMITS },
  CREDENTIAL_LIMITS: { kind: 'credential', limits: CREDENTIAL_LIMITS },
  FIELD_LIMITS: { kind: 'field', limits: FIELD_LIMITS },
  MCP_LIMITS: { kind: 'MCP server', limits: MCP_LIMITS },
  OUTBOUND_LIMITS: { kind: 'other system', limits: OUTBOUND_LIMITS },
};

const INTRODUCTION = `# Limits

Made by \`npm run generate\` from \`src/limits/\`, where the code that enforces a limit takes its value from. Do not edit.

A value at the limit is still allowed. Limits with a setting are changed by that environment variable, for all callers alike;
all others are fixed. Codes are explained in [errors.md](errors.md), and quotas in
[operations.md](operations.md#quotas). A network is an IPv4 address, or the first 64 bits of an IPv6 address. "Memory" is what
one process keeps; \`gatehouse_cache_entries\` and \`gatehouse_cache_bytes\` in the metrics show how full each is.

| kind | limit | default | setting | what happens beyond it |
|---|---|---|---|---|
`;

/** The content of docs/limits.md. */
export function formatLimits(): string {
  const limits = Object.values(LIMITS).flatMap(({ kind, limits }) =>
    Object.values(limits).map((limit) => {
      const setting = limit.setting === undefined ? '' : `\`${limit.setting}\``;
      return toRow([kind, limit.what, formatValue(limit.value, limit.unit), setting, limit.answer]);
    }),
  );
  const caches = Object.values(CACHE_BOUNDS).map((cache: CacheLimit) =>
    toRow(['memory', `\`${cache.name}\`: ${cache.keeps}`, formatBounds(cache), '', cache.whenFull]),
  );
  return `${INTRODUCTION}${[...limits, ...caches].join('\n')}\n`;
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function formatBounds({ maxEntries, maxBytes }: CacheLimit): string {
  if (!Number.isFinite(maxEntries)) return 'all';
  return `${maxEntries.toLocaleString('en')} entries, ${formatValue(maxBytes, 'bytes')}`;
}

/** Formats a value in the largest unit that needs no fraction. */
export function formatValue(value: number, unit: LimitUnit): string {
  if (unit === 'count') return value.toLocaleString('en');
  if (unit === 'ms') return formatTime(value);
  if (unit === 'seconds') return formatTime(value * 1_000);
  const units = unit === 'bytes' ? BYTE_UNITS : [];
  const [name, size] = units.find((each) => value % each[1] === 0) ?? [unit, 1];
  return `${(value / size).toLocaleString('en')} ${name}`;
}

const BYTE_UNITS: readonly (readonly [string, number])[] = [
  ['MB', 1_000_000],
  ['MiB', 1_024 * 1_024],
  ['KiB', 1_024],
  ['kB', 1_000],
];

const TIME_UNITS: readonly (readonly [string, number])[] = [
  ['year', 365 * 24 * 3_600_000],
  ['day', 24 * 3_600_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

function formatTime(ms: number): string {
  const [name, size] = TIME_UNITS.find((each) => ms % each[1] === 0) ?? ['ms', 1];
  const count = ms / size;
  return `${count} ${name}${count === 1 || name === 'ms' ? '' : 's'}`;
}
