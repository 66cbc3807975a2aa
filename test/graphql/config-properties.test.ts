// On both databases: which texts each driver stores.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { create, issuesOf } from './config-operations.ts';
import { uniqueSlug } from './root-fields.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
);

test('for any text, a config is stored as sent or refused with its problems', async () => {
  const field = 'mcpServerConfig(id: $id) { displayName description toolAllowList oauth2Scopes apiKeyHeader }';
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        displayName: anyText,
        description: anyText,
        toolAllowList: fc.array(anyText, { maxLength: 3 }),
        oauth2Scopes: fc.array(anyText, { maxLength: 2 }),
        apiKeyHeader: anyText,
        apiKeyValue: anyText,
        customHeaders: fc.array(fc.record({ name: fc.constantFrom('X-A', 'X-B', 'x-a'), value: anyText }), {
          maxLength: 2,
        }),
      }),
      async (input) => {
        // Half of the inputs omit the strictest fields, so that many are valid.
        const { displayName, description, toolAllowList, apiKeyValue } = input;
        for (const sent of [input, { displayName: `A ${displayName}`, description, toolAllowList, apiKeyValue }]) {
          const created = await create(gateway, { ...sent, slug: uniqueSlug() });
          const problems = issuesOf(created);
          if (problems.length > 0) continue;
          const { id } = created.data.createMcpServerConfig;
          const { data } = await gateway.graphql(`query ($id: UUID!) { ${field} }`, {
            token: gateway.tokens.admin,
            variables: { id },
          });
          expect(data.mcpServerConfig.displayName).toBe(sent.displayName.trim());
          expect(data.mcpServerConfig.description).toBe(sent.description.trim());
        }
      },
    ),
    { numRuns: onMainDatabase ? 60 : 15 },
  );
});

test('searching for any text finds nothing and never fails', async () => {
  const query = `query ($text: String!) {
    mcpServerConfig(slug: $text) { id }
    mcpServerConfigs(filter: { search: $text }) { totalCount nodes { id } }
  }`;
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      const { errors, data } = await gateway.graphql(query, { token: gateway.tokens.member, variables: { text } });
      expect(errors).toBeUndefined();
      expect(data.mcpServerConfigs.totalCount).toBe(data.mcpServerConfigs.nodes.length);
    }),
    { numRuns: onMainDatabase ? 150 : 25, examples: [['\0'], ['a\0b'], ['\ud800'], ['%'], ['\\'], ['_']] },
  );
});

test.runIf(onMainDatabase)('for any cursor, the list says CURSOR_INVALID or answers', async () => {
  // One after the other: an error of the first would hide the second one's.
  const queries = ['mcpServerConfigs', 'users'].map(
    (list) => `query ($after: String) { ${list}(after: $after) { nodes { id } } }`,
  );
  const id = '00000000-0000-4000-8000-000000000001';
  const { data } = await gateway.graphql('{ users(first: 1) { pageInfo { endCursor } } }', {
    token: gateway.tokens.admin,
  });
  const own: string = data.users.pageInfo.endCursor;
  const anyCut = fc
    .tuple(fc.nat({ max: own.length }), anyText, fc.nat({ max: own.length }))
    .map(([end, text, start]) => own.slice(0, end) + text + own.slice(start));
  const anyJson = fc.json().map((text) => Buffer.from(text).toString('base64url'));
  const anyValues = fc
    .tuple(fc.constantFrom('config', 'user'), anyText, fc.oneof(fc.constant(id), anyText))
    .map((values) => Buffer.from(JSON.stringify(values)).toString('base64url'));
  const anyTime = fc
    .oneof(
      fc.date({ noInvalidDate: false }).map((date) => (Number.isNaN(date.getTime()) ? 'never' : date.toISOString())),
      fc.constantFrom('1', '-1', '2026', '0000-01-01T00:00:00.000Z', 'Tue Mar 01 2022'),
    )
    .map((time) => Buffer.from(JSON.stringify(['user', time, id])).toString('base64url'));
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyText, anyJson, anyValues, anyTime, anyCut), async (after) => {
      for (const query of queries) {
        const { errors } = await gateway.graphql(query, { token: gateway.tokens.admin, variables: { after } });
        for (const error of errors ?? []) expect(error.extensions.code).toBe('CURSOR_INVALID');
      }
    }),
    { numRuns: 250 },
  );
});
