// On the embedded database: what is kept does not depend on the database.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CACHE_BOUNDS } from '../../src/limits/cache-bounds.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId } from './config-operations.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

/** What the configs in memory take. They follow the changes before the next read is answered. */
async function readConfigs() {
  // Their sorted lists, too: one of all, one of those that are enabled.
  for (const token of [gateway.tokens.admin, gateway.tokens.member]) {
    await gateway.graphql('{ mcpServerConfigs { nodes { id } } }', { token });
  }
  const found = gateway.caches().find(({ name }) => name === 'configs');
  if (found === undefined) throw new Error('the configs are not listed');
  return found;
}

test('every cache of the process is listed with the limits of docs/limits.md, and stays within them', async () => {
  await createId(gateway, { enabled: true });
  await gateway.graphql('{ mcpServerConfigs { nodes { id } } }', { token: gateway.tokens.member });
  const caches = gateway.caches();
  const expected = Object.values(CACHE_BOUNDS).map(({ name, maxEntries, maxBytes }) => ({
    name,
    maxEntries,
    maxBytes,
  }));
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  const actual = caches.map(({ name, maxEntries, maxBytes }) => ({ name, maxEntries, maxBytes }));
  expect(actual.sort(byName)).toEqual(expected.sort(byName));
  for (const { name, entries, bytes, maxEntries, maxBytes } of caches) {
    expect(entries, name).toBeLessThanOrEqual(maxEntries);
    expect(bytes, name).toBeLessThanOrEqual(maxBytes);
    expect(bytes > 0, name).toBe(entries > 0);
  }
});

test('the metrics have the entries and bytes of every cache', async () => {
  const text = await (await gateway.fetch('/metrics')).text();
  for (const { name } of Object.values(CACHE_BOUNDS)) {
    expect(text).toMatch(new RegExp(`^gatehouse_cache_bytes\\{cache="${name}"\\} \\d+$`, 'm'));
    expect(text).toMatch(new RegExp(`^gatehouse_cache_entries\\{cache="${name}"\\} \\d+$`, 'm'));
  }
});

test('configs are counted as they come, change and go', async () => {
  const before = await readConfigs();
  const id = await createId(gateway, { description: 'x'.repeat(1_000) });
  const made = await readConfigs();
  expect(made.entries).toBe(before.entries + 1);
  expect(made.bytes).toBeGreaterThan(before.bytes + 1_000);
  const asAdmin = (query: string) => gateway.graphql(query, { token: gateway.tokens.admin });
  await asAdmin(`mutation { updateMcpServerConfig(id: "${id}", patch: { description: "" }) { id } }`);
  expect((await readConfigs()).bytes).toBeLessThan(made.bytes - 1_000);
  await asAdmin(`mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`);
  expect(await readConfigs()).toEqual(before);
});
