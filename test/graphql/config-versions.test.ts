import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, issuesOf, update } from './config-operations.ts';
import { uniqueSlug } from './root-fields.ts';
import { countUserTokens, insertUserToken } from './user-tokens.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

async function read(id: string) {
  const query = `{ mcpServerConfig(id: "${id}") { displayName version updatedAt createdBy { id } updatedBy { id } } }`;
  const { data } = await gateway.graphql(query, { token: gateway.tokens.admin });
  return data.mcpServerConfig;
}

describe('the version', () => {
  test('counts the changes, and the last author is recorded', async () => {
    const id = await createId(gateway);
    const { data } = await gateway.graphql(
      `mutation { updateMcpServerConfig(id: "${id}", patch: { enabled: true }) { version createdBy { id } updatedBy { id } } }`,
      { token: gateway.tokens.bootstrap },
    );
    expect(data.updateMcpServerConfig).toMatchObject({ version: 2, createdBy: { id: gateway.userIds.admin } });
    expect(data.updateMcpServerConfig.updatedBy.id).not.toBe(gateway.userIds.admin);
  });

  test.each([
    ['an empty patch', {}],
    ['the same values', { displayName: 'Same', enabled: true, toolAllowList: ['a', 'b'], authType: 'NONE' }],
    ['the same values with space around them', { displayName: ' Same\n', toolAllowList: ['a ', '', 'b', 'a'] }],
    [
      'clearing what is empty',
      { description: null, iconUrl: '', oauth2Scopes: [], apiKeyValue: null, customHeaders: [] },
    ],
  ])('stays when nothing changes: %s', async (_name, patch) => {
    const id = await createId(gateway, { displayName: 'Same', enabled: true, toolAllowList: ['a', 'b'] });
    const before = await read(id);
    const { data, errors } = await update(gateway, id, patch, 1);
    expect(errors).toBeUndefined();
    expect(data.updateMcpServerConfig.version).toBe(1);
    expect(await read(id)).toEqual(before);
  });

  test('refuses a change that expects a stale one, and reports the current one', async () => {
    const id = await createId(gateway);
    await update(gateway, id, { displayName: 'Two' }, 1);
    for (const stale of [1, 3, 0, -1]) {
      const { errors } = await update(gateway, id, { displayName: 'Lost', slug: '-' }, stale);
      expect(errors).toMatchObject([{ extensions: { code: 'VERSION_MISMATCH', currentVersion: 2 } }]);
    }
    expect(await read(id)).toMatchObject({ displayName: 'Two', version: 2 });
    expect(issuesOf(await update(gateway, id, { displayName: 'Three' }, 2))).toEqual([]);
    expect(await read(id)).toMatchObject({ displayName: 'Three', version: 3 });
  });

  test('expected by ten concurrent writers is accepted from one of them', async () => {
    const id = await createId(gateway);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) => update(gateway, id, { displayName: `Writer ${index}` }, 1)),
    );
    const codes = outcomes.map(({ errors }) => errors?.[0]?.extensions?.['code'] ?? 'ok').sort();
    expect(codes).toEqual([...Array.from({ length: 9 }, () => 'VERSION_MISMATCH'), 'ok']);
    expect(await read(id)).toMatchObject({ version: 2 });
  });

  test('counts ten concurrent changes that expect none', async () => {
    const id = await createId(gateway);
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => update(gateway, id, { displayName: `Writer ${index}` })),
    );
    expect(await read(id)).toMatchObject({ version: 11 });
  });
});

describe('the slug', () => {
  test('of another config is a CONFLICT, and nothing changes', async () => {
    const slug = uniqueSlug();
    await createId(gateway, { slug });
    const id = await createId(gateway);
    const { errors } = await update(gateway, id, { slug: ` ${slug} `, displayName: 'Not this' });
    expect(errors).toMatchObject([{ extensions: { code: 'CONFLICT', field: 'slug' } }]);
    expect(await read(id)).toMatchObject({ displayName: 'Tools', version: 1 });
  });

  test('in 200 concurrent creations makes one config and 199 conflicts', async () => {
    const slug = uniqueSlug();
    const query = 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }';
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const input = {
          slug,
          displayName: `Racer ${index}`,
          url: 'https://mcp.example.com/',
          apiKeyValue: `key ${index}`,
        };
        // Each of two admins may have eight operations at once and a queue.
        const token = index % 2 === 0 ? gateway.tokens.admin : gateway.tokens.bootstrap;
        return gateway.graphql(query, { token, variables: { input } });
      }),
    );
    const codes = outcomes.map(({ errors }) => errors?.[0]?.extensions?.['code'] ?? 'ok');
    expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
    expect(codes.filter((code) => code === 'CONFLICT')).toHaveLength(199);
    const [row] = await gateway.database.query(
      'SELECT count(*)::int AS count FROM mcp_server_configs WHERE slug = $1',
      [slug],
    );
    expect(row).toEqual({ count: 1 });
  });
});

describe('a deletion', () => {
  test('removes the tokens of users, once', async () => {
    const id = await createId(gateway);
    await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
    const query = `mutation { deleteMcpServerConfig(id: "${id.toUpperCase()}") { deletedId } }`;
    const first = await gateway.graphql(query, { token: gateway.tokens.admin });
    expect(first.data.deleteMcpServerConfig).toEqual({ deletedId: id });
    expect(await countUserTokens(gateway, id)).toBe(0);
    const second = await gateway.graphql(query, { token: gateway.tokens.admin });
    expect(second.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});

describe('removeMcpServerUserTokens', () => {
  test('removes the tokens of one user or of all, and returns how many', async () => {
    const id = await createId(gateway);
    const { member, admin, service } = gateway.userIds;
    for (const userId of [member, admin, service]) await insertUserToken(gateway, { configId: id, userId });
    const remove = async (args: string) => {
      const query = `mutation { removeMcpServerUserTokens(id: "${id}"${args}) { removedCount } }`;
      const { data } = await gateway.graphql(query, { token: gateway.tokens.admin });
      return data.removeMcpServerUserTokens.removedCount;
    };
    expect(await remove(`, userId: "${gateway.userIds.auditor}"`)).toBe(0);
    expect(await remove(`, userId: "${member}"`)).toBe(1);
    expect(await remove(`, userId: "${member}"`)).toBe(0);
    expect(await countUserTokens(gateway, id)).toBe(2);
    expect(await remove('')).toBe(2);
    expect(await countUserTokens(gateway, id)).toBe(0);
  });
});
