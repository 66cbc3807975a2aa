import { isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DiscoverableServer, startDiscoverableServer } from '../setup/discoverable-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { breakCustomHeaders } from './encryption-key-rows.ts';
import {
  createSubjects,
  fieldsOfGraph,
  listRootFields,
  ownTypes,
  type Subjects,
  schema,
  toOperation,
} from './root-fields.ts';
import { ALL, OVERSIGHT, STAFF, VISIBLE_TO } from './visible-to.ts';

const LETTERS = { admin: 'A', auditor: 'U', service: 'S', member: 'M', suspended: 'x', nobody: 'n' } as const;

type Caller = keyof typeof LETTERS;

/** Which fields returned a value, and which were present at all, per caller. */
const seen = {} as Record<Caller, { filled: Set<string>; asked: Set<string> }>;
/** Errors next to data: a hidden field that caused one. */
const mixed: string[] = [];
const errorCodes = {} as Record<Caller, Set<unknown>>;
let gateway: TestGateway;
let discoverable: DiscoverableServer;

/** Records each field of an answer by its type. */
function note(caller: Caller, typeName: string, value: unknown): void {
  if (Array.isArray(value)) for (const item of value) note(caller, typeName, item);
  const type = schema.getType(typeName);
  if (!isObjectType(type) || typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [name, child] of Object.entries(value)) {
    const field = `${typeName}.${name}`;
    seen[caller].asked.add(field);
    if (child !== null) seen[caller].filled.add(field);
    note(caller, String(type.getFields()[name]?.type).replace(/[[\]!]/g, ''), child);
  }
}

async function askEverything(caller: Caller, subjects: Subjects): Promise<void> {
  seen[caller] = { filled: new Set(), asked: new Set() };
  errorCodes[caller] = new Set();
  const token = caller === 'nobody' ? undefined : gateway.tokens[caller];
  // Deletions last: what they delete is queried before.
  const fields = listRootFields().sort((a, b) => Number(a.includes('.delete')) - Number(b.includes('.delete')));
  for (const rootField of fields) {
    const { data, errors } = await gateway.graphql(toOperation(rootField, subjects, caller), { token });
    note(caller, rootField.split('.')[0] ?? '', data);
    if (data != null) mixed.push(...(errors ?? []).map((error) => `${caller} ${rootField} ${error.path}`));
    for (const error of errors ?? []) errorCodes[caller].add(error.extensions?.['code']);
  }
}

beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' } });
  discoverable = await startDiscoverableServer();
  const subjects = { ...(await createSubjects(gateway)), serverUrl: discoverable.url };
  // A value that cannot be decrypted, for the reports to name; in a config that nobody changes.
  await breakCustomHeaders(gateway, (await createSubjects(gateway)).configId);
  // The admin last: their mutations have effects.
  const callers = (Object.keys(LETTERS) as Caller[]).reverse();
  for (const caller of callers) await askEverything(caller, subjects);
});
afterAll(async () => {
  await gateway?.close();
  await discoverable?.close();
});

describe.each(fieldsOfGraph)('%s', (field) => {
  const expected = VISIBLE_TO[field] ?? '';

  test.each(Object.entries(LETTERS))('as %s', (caller, letter) => {
    const { filled, asked } = seen[caller as Caller];
    expect(filled.has(field)).toBe(expected.includes(letter));
    if (expected.includes(letter)) expect(asked.has(field)).toBe(true);
  });
});

test('hidden fields are null, without an error next to them', () => {
  expect(mixed).toEqual([]);
  expect(errorCodes.admin).toEqual(new Set());
  for (const caller of ['auditor', 'service', 'member'] as const) {
    expect([...errorCodes[caller]]).toEqual(['FORBIDDEN']);
  }
  expect(seen.member.asked.has('McpServerConfig.url')).toBe(true);
  expect([...errorCodes.nobody]).toEqual(['UNAUTHENTICATED']);
  expect([...errorCodes.suspended]).toEqual(['UNAUTHENTICATED']);
});

test("every restricted field's description says who sees it", () => {
  for (const type of ownTypes) {
    for (const field of Object.values(type.getFields())) {
      const isRestricted = [STAFF, OVERSIGHT].includes(VISIBLE_TO[`${type.name}.${field.name}`] ?? '');
      const isInAll = VISIBLE_TO[`${type.name}.id`] === ALL;
      if (isRestricted && isInAll) expect(field.description, `${type.name}.${field.name}`).toMatch(/For admins.*null/);
    }
  }
});

const hidden = Object.keys(VISIBLE_TO).filter(
  (field) => field.startsWith('McpServerConfig.') && VISIBLE_TO[field] === STAFF,
);

test.each([
  ['in a list of nodes', 'mcpServerConfigs { nodes { ... } }'],
  ['in a list of edges', 'mcpServerConfigs { edges { node { ... } } }'],
  ['alone', 'mcpServerConfig(slug: "SLUG") { ... }'],
])('a member gets null %s, also by aliases and fragments', async (_place, outline) => {
  const { slug } = await createSubjects(gateway);
  // At most as many aliases as a document may have: the fields are split into groups.
  for (let start = 0; start < hidden.length; start += 4) {
    const names = hidden.slice(start, start + 4).map((field) => field.replace('McpServerConfig.', ''));
    const select = (name: string) =>
      `${name} ${/By$/.test(name) ? '{ id email apiTokens { name } }' : /Warnings$/.test(name) ? '{ name }' : name === 'usage' ? '{ lastDay { calls } }' : ''}`;
    const inner = [
      ...names.map((name) => `a${select(name)}`.replace(/^a(\w+)/, 'a_$1: $1')),
      `... on McpServerConfig { ${names.map((name) => `b_${name}: ${select(name)}`).join(' ')} }`,
      '...Spread',
    ].join(' ');
    const query = `{ ${outline.replace('SLUG', slug).replace('...', `${inner} __typename`)} }
      fragment Spread on McpServerConfig { ...Deeper }
      fragment Deeper on McpServerConfig { ${names.map(select).join(' ')} }`;
    const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.member });
    expect(errors).toBeUndefined();
    const nodes = [data.mcpServerConfig ?? data.mcpServerConfigs.nodes ?? data.mcpServerConfigs.edges].flat();
    expect(nodes.length).toBeGreaterThan(0);
    for (const node of nodes) {
      const { __typename, ...fields } = node.node ?? node;
      expect(__typename).toBe('McpServerConfig');
      const names3 = names.flatMap((name) => [`a_${name}`, `b_${name}`, name]);
      expect(fields).toEqual(Object.fromEntries(names3.map((name) => [name, null])));
    }
  }
});
