import type { McpServerConfigRecord } from '../records.ts';
import { CONFIG_SORTS, type ConfigOrder, type ConfigPlace, toPlaceOf } from '../repositories/config-repository.ts';

/** Sorts configs as the database does. */
export function sortConfigs(configs: readonly McpServerConfigRecord[], order: ConfigOrder): McpServerConfigRecord[] {
  return configs.toSorted((a, b) => compareTo(a, toPlaceOf(b, order), order));
}

/** The index of the first config after the place. */
export function findStart(sorted: readonly McpServerConfigRecord[], after: ConfigPlace, order: ConfigOrder): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const config = sorted[middle];
    if (config !== undefined && compareTo(config, after, order) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Puts a config in the place of its former state, or takes it out. Returns another list, because the former one may still be
 * read. Sorting thousands of configs again would take a hundred times as long.
 *
 * @returns undefined if the former state is not in the list
 */
export function replaceIn(
  sorted: readonly McpServerConfigRecord[],
  { before, after }: { before: McpServerConfigRecord | undefined; after: McpServerConfigRecord | undefined },
  order: ConfigOrder,
): readonly McpServerConfigRecord[] | undefined {
  let list = sorted;
  if (before !== undefined) {
    const index = findStart(list, toPlaceOf(before, order), order) - 1;
    if (list[index] !== before) return undefined;
    list = list.toSpliced(index, 1);
  }
  if (after === undefined) return list;
  return list.toSpliced(findStart(list, toPlaceOf(after, order), order), 0, after);
}

/** Where a config is, as seen from a place: before (negative), after, or there (0). */
function compareTo(config: McpServerConfigRecord, { key, id }: ConfigPlace, order: ConfigOrder): number {
  const { field, isDescending } = CONFIG_SORTS[order];
  const own = config[field];
  const byKey =
    typeof own === 'string' || typeof key === 'string'
      ? compareCodePoints(String(own), String(key))
      : own.getTime() - key.getTime();
  const result = byKey || compareCodePoints(config.id, id);
  return isDescending ? -result : result;
}

/** By code point, as in PostgreSQL's collation "C". JavaScript would sort characters above U+FFFF before U+E000. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [unitA, unitB] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unitA !== unitB) return toRank(unitA) - toRank(unitB);
  }
  return a.length - b.length;
}

/** Ranks surrogates above all other units. */
function toRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
