/** How many values of one column a key seals. At least one. */
export interface KeyUse {
  table: string;
  column: string;
  count: number;
}

/** The total number of values. */
export function sumUses(uses: readonly KeyUse[]): number {
  return uses.reduce((sum, { count }) => sum + count, 0);
}

/** E.g. `12 values (mcp_server_configs.api_key_value: 12)`, or `0 values`. */
export function describeUses(uses: readonly KeyUse[]): string {
  const total = sumUses(uses);
  const places = uses.map(({ table, column, count }) => `${table}.${column}: ${count}`);
  return `${total} ${total === 1 ? 'value' : 'values'}${total === 0 ? '' : ` (${places.join(', ')})`}`;
}
