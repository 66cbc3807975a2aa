import { beforeEach, describe, expect, test } from 'vitest';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';

let metrics: Metrics;
beforeEach(() => {
  metrics = createMetrics(() => ({ total: 0, idle: 0, waiting: 0 }));
});

/** The values of a label of a metric, with their counts. */
async function valuesOf(metric: string, label: string): Promise<Map<string, number>> {
  const text = await metrics.format();
  const series = [...text.matchAll(new RegExp(`^${metric}\\{.*?${label}="([^"]*)".*?\\} (\\d+)$`, 'gm'))];
  return new Map(series.map(([, value = '', count]) => [value, Number(count)]));
}

// Series last as long as the process, and callers choose these names.
describe.each([
  {
    ...{ label: 'server', metric: 'gatehouse_mcp_tool_calls_total', most: 500 },
    count: (server: string) => metrics.countToolCall({ server, outcome: 'success', seconds: 0.1 }),
  },
  {
    ...{ label: 'operation', metric: 'gatehouse_graphql_operations_total', most: 200 },
    count: (name: string) => metrics.countOperation({ name, type: 'query', outcome: 'ok', seconds: 0.1 }),
  },
])('the label $label', ({ label, metric, most, count }) => {
  test('has a bounded number of values, and what is more counts as other', async () => {
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < most + 50; index += 1) count(`name-${index}`);
    }
    const values = await valuesOf(metric, label);
    expect(values.size).toBe(most + 1);
    expect(values.get('name-0')).toBe(2);
    expect(values.get('other')).toBe(100);
  });

  test('has no long values', async () => {
    count('x'.repeat(101));
    expect(await valuesOf(metric, label)).toEqual(new Map([['other', 1]]));
  });
});
