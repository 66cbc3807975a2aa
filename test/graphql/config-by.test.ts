import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId } from './config-operations.ts';
import { uniqueSlug } from './root-fields.ts';

let gateway: TestGateway;
const slug = uniqueSlug();
let id: string;
let hidden: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  id = await createId(gateway, { slug, enabled: true });
  hidden = await createId(gateway, { enabled: false });
});
afterAll(() => gateway?.close());

const QUERY = 'query ($by: McpServerConfigBy) { mcpServerConfig(by: $by) { id } }';
const ask = (query: string, variables?: object) => gateway.graphql(query, { token: gateway.tokens.member, variables });

test('a config is found by its id or its slug, in a variable or in the document', async () => {
  const found = { mcpServerConfig: { id } };
  expect((await ask(QUERY, { by: { id: id.toUpperCase() } })).data).toEqual(found);
  expect((await ask(QUERY, { by: { slug } })).data).toEqual(found);
  expect((await ask(`{ mcpServerConfig(by: { slug: "${slug}" }) { id } }`)).data).toEqual(found);
  // The deprecated form.
  expect((await ask(`{ mcpServerConfig(id: "${id}") { id } }`)).data).toEqual(found);
  expect((await ask(`{ mcpServerConfig(slug: "${slug}") { id } }`)).data).toEqual(found);
});

test('a hidden config and a missing one are null', async () => {
  for (const by of [{ id: hidden }, { id: randomUUID() }, { slug: 'missing' }]) {
    const { data, errors } = await ask(QUERY, { by });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ mcpServerConfig: null });
  }
});

test.each([
  ['nothing', QUERY, {}],
  ['neither', QUERY, { by: {} }],
  ['null', QUERY, { by: { id: null } }],
  ['both', QUERY, { by: { id: randomUUID(), slug } }],
  ['neither in the document', '{ mcpServerConfig(by: {}) { id } }', {}],
  ['both in the document', `{ mcpServerConfig(by: { slug: "${slug}", id: "${randomUUID()}" }) { id } }`, {}],
  ['an old argument beside it', `{ mcpServerConfig(by: { slug: "${slug}" }, slug: "${slug}") { id } }`, {}],
])('whoever gives %s is told what to do', async (_what, query, variables) => {
  const { data, errors } = await ask(query, variables);
  expect(data?.mcpServerConfig ?? null).toBeNull();
  expect(errors).toHaveLength(1);
  expect(errors?.[0].extensions).toMatchObject({ code: 'VALIDATION_FAILED', issues: [{}] });
  expect(errors?.[0].message).not.toContain(slug);
});
