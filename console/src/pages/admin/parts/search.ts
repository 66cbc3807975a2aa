// Reads the filters of a list from the address of its page. What is not understood is left out.

/** The parameters of an address. */
export type Search = Record<string, unknown>;

/** The filters as they stand in the address: without those that are empty, and from the first page on. */
export function toSearch<Filters extends object>(filters: Filters): Filters {
  const given = Object.entries(filters).filter(
    ([name, value]) => value !== '' && value !== undefined && name !== 'after',
  );
  return Object.fromEntries(given) as Filters;
}

/** Reads a text. The router reads `?q=1` as a number. */
export function readText<Name extends string>(search: Search, name: Name): { [key in Name]?: string } {
  const value = search[name];
  const isText = (typeof value === 'string' && value !== '') || typeof value === 'number';
  return (isText ? { [name]: String(value) } : {}) as { [key in Name]?: string };
}

/** Reads one of some values. */
export function readChoice<Name extends string, const Value extends string>(
  search: Search,
  name: Name,
  values: readonly Value[],
): { [key in Name]?: Value } {
  const value = values.find((each) => each === search[name]);
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: Value };
}
