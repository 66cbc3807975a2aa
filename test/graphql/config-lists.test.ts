// On both databases: the order of names, which must not depend on the database's collation.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, type LooseInput } from './config-operations.ts';
import { uniqueSlug } from './root-fields.ts';
import { insertUserToken } from './user-tokens.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());
beforeEach(async () => {
  await gateway.database.query('TRUNCATE mcp_server_configs CASCADE');
});

interface Page {
  totalCount: number;
  names: string[];
  ids: string[];
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

const QUERY = `query ($first: Int, $after: String, $filter: McpServerConfigFilter, $orderBy: McpServerConfigOrder) {
      mcpServerConfigs(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount
        edges { cursor node { id } }
        nodes { id displayName }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }`;

async function list(variables: object, token = gateway.tokens.admin): Promise<Page> {
  const { data, errors } = await gateway.graphql(QUERY, { token, variables });
  expect(errors).toBeUndefined();
  const { totalCount, edges, nodes, pageInfo } = data.mcpServerConfigs;
  expect(edges.map((edge: { node: { id: string } }) => edge.node.id)).toEqual(
    nodes.map((node: { id: string }) => node.id),
  );
  expect(pageInfo.startCursor).toBe(edges.at(0)?.cursor ?? null);
  expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null);
  const names = nodes.map((node: { displayName: string }) => node.displayName);
  return { totalCount, names, ids: nodes.map((node: { id: string }) => node.id), ...pageInfo };
}

/** All pages of this size, from first to last. */
async function listAll(first: number, token = gateway.tokens.admin, more: object = {}): Promise<Page[]> {
  const pages = [await list({ first, ...more }, token)];
  for (let page = pages.at(-1); page?.hasNextPage === true; page = pages.at(-1)) {
    pages.push(await list({ first, after: page.endCursor, ...more }, token));
  }
  return pages;
}

async function createNamed(names: readonly string[], input: LooseInput = {}): Promise<void> {
  for (const displayName of names) await createId(gateway, { displayName, ...input });
}

describe('pages', () => {
  test.each(onMainDatabase ? [1, 2, 3, 7, 8, 500] : [3])('of %i contain every config once, by name', async (first) => {
    await createNamed(['b', 'a', 'c', 'B', 'ä', 'a', 'a']);
    const pages = await listAll(first);
    expect(pages.flatMap((page) => page.names)).toEqual(['B', 'a', 'a', 'a', 'b', 'c', 'ä']);
    expect(new Set(pages.flatMap((page) => page.ids)).size).toBe(7);
    expect(pages).toHaveLength(Math.ceil(7 / first));
    for (const [index, page] of pages.entries()) {
      expect(page).toMatchObject({ totalCount: 7, hasPreviousPage: false, hasNextPage: index < pages.length - 1 });
    }
  });

  test.runIf(onMainDatabase)('continue at the same place when configs are added and removed', async () => {
    await createNamed(['a', 'c', 'e', 'e', 'g']);
    const first = await list({ first: 3 });
    const last = first.ids[2];
    await gateway.graphql(`mutation { deleteMcpServerConfig(id: "${last}") { deletedId } }`, {
      token: gateway.tokens.admin,
    });
    await createNamed(['b', 'f']);
    const second = await list({ first: 10, after: first.endCursor });
    expect(second.names).toEqual(['e', 'f', 'g']);
    expect(second.totalCount).toBe(6);
  });

  test.runIf(onMainDatabase)('of none have no entries and no cursors, but the count', async () => {
    await createNamed(['a']);
    const none = { names: [], startCursor: null, endCursor: null, totalCount: 1, hasNextPage: true };
    expect(await list({ first: 0 })).toMatchObject(none);
    const { endCursor } = await list({ first: 1 });
    expect(await list({ after: endCursor })).toMatchObject({ ...none, hasNextPage: false });
  });

  test.runIf(onMainDatabase)('have 50 entries by default', async () => {
    await createNamed(Array.from({ length: 51 }, (_, index) => `n${index}`));
    expect((await list({})).names).toHaveLength(50);
    expect((await list({ first: null })).names).toHaveLength(50);
    expect((await list({ first: 500 })).names).toHaveLength(51);
  });

  test.runIf(onMainDatabase).each([-1, 501, 2_147_483_647])('of %i are VALIDATION_FAILED', async (first) => {
    for (const name of ['mcpServerConfigs', 'users']) {
      const query = `query ($first: Int) { ${name}(first: $first) { totalCount } }`;
      const { errors } = await gateway.graphql(query, { token: gateway.tokens.admin, variables: { first } });
      const extensions = { code: 'VALIDATION_FAILED', issues: [{ path: ['first'], code: 'OUT_OF_RANGE' }] };
      expect(errors).toMatchObject([{ extensions }]);
    }
  });
});

describe('an order', () => {
  /** In the order of their creation. The last changes are the other way round, but for the first one. */
  const NAMES = ['b', 'a', 'C', 'a', '\u{1F600}', '\uFFFD'];
  const setTimes = async () => {
    const { ids, names } = await list({});
    for (const [index, name] of NAMES.entries()) {
      const place = names.indexOf(name);
      names[place] = '';
      // Two were created at the same time.
      await gateway.database.query(
        `UPDATE mcp_server_configs SET created_at = '2026-01-01'::timestamptz + $1::int * '1 day'::interval,
           updated_at = '2026-03-01'::timestamptz - $2::int * '1 day'::interval WHERE id = $3::uuid`,
        [index === 1 ? 0 : index, index === 0 ? -1 : index, ids[place]],
      );
    }
  };

  test.each([
    ['NAME_ASC', ['C', 'a', 'a', 'b', '\uFFFD', '\u{1F600}']],
    ['NAME_DESC', ['\u{1F600}', '\uFFFD', 'b', 'a', 'a', 'C']],
    ['UPDATED_ASC', ['\uFFFD', '\u{1F600}', 'a', 'C', 'a', 'b']],
    ['UPDATED_DESC', ['b', 'a', 'C', 'a', '\u{1F600}', '\uFFFD']],
  ])('%s has every config once, whatever the size of the pages', async (orderBy, names) => {
    await createNamed(NAMES);
    await setTimes();
    for (const first of [1, 2, 4, 500]) {
      const pages = await listAll(first, gateway.tokens.auditor, { orderBy });
      expect(pages.flatMap((page) => page.names)).toEqual(names);
      expect(new Set(pages.flatMap((page) => page.ids)).size).toBe(NAMES.length);
    }
  });

  test('by creation is the same backwards, with those of the same time by id', async () => {
    await createNamed(NAMES);
    await setTimes();
    const idsOf = async (orderBy: string) =>
      (await listAll(1, gateway.tokens.admin, { orderBy })).flatMap((page) => page.ids);
    const forwards = await idsOf('CREATED_ASC');
    expect(await idsOf('CREATED_DESC')).toEqual(forwards.toReversed());
    expect(forwards.slice(0, 2)).toEqual(forwards.slice(0, 2).sort());
    expect((await list({ orderBy: 'CREATED_ASC' })).names.slice(2)).toEqual(NAMES.slice(2));
  });

  test('refuses the cursors of another', async () => {
    await createNamed(['a', 'b']);
    const { endCursor } = await list({ first: 1, orderBy: 'CREATED_ASC' });
    for (const orderBy of ['CREATED_DESC', 'NAME_ASC', 'UPDATED_ASC']) {
      const variables = { after: endCursor, orderBy };
      const { errors } = await gateway.graphql(QUERY, { token: gateway.tokens.admin, variables });
      expect(errors?.[0].extensions.code).toBe('CURSOR_INVALID');
    }
  });
});

test.runIf(onMainDatabase)('one operation can request at most 500 entries over all its lists', async () => {
  const ask = (...sizes: number[]) => {
    const lists = sizes.map(
      (first, index) => `l${index}: ${index % 2 === 0 ? 'mcpServerConfigs' : 'users'}(first: ${first}) { totalCount }`,
    );
    return gateway.graphql(`{ ${lists.join(' ')} }`, { token: gateway.tokens.admin });
  };
  expect((await ask(250, 250)).errors).toBeUndefined();
  expect((await ask(100, 100, 100, 100, 100)).errors).toBeUndefined();
  for (const sizes of [
    [500, 1],
    [250, 251],
    [200, 200, 200],
  ]) {
    const extensions = { code: 'VALIDATION_FAILED', issues: [{ path: ['first'], code: 'OUT_OF_RANGE' }] };
    expect((await ask(...sizes)).errors).toMatchObject([{ extensions }]);
  }
});

describe.runIf(onMainDatabase)('a cursor', () => {
  const page = async (name: string, role: 'admin' | 'auditor' | 'member', after?: string) => {
    const query = `query ($after: String) { ${name}(first: 1, after: $after) { totalCount pageInfo { endCursor } } }`;
    return gateway.graphql(query, { token: gateway.tokens[role], variables: { after } });
  };
  const cursorOf = async (name: string, role: 'admin' | 'auditor' | 'member'): Promise<string> =>
    (await page(name, role)).data[name].pageInfo.endCursor;
  const expectInvalid = async (name: string, role: 'admin' | 'auditor' | 'member', after: string) =>
    expect((await page(name, role, after)).errors, after).toMatchObject([{ extensions: { code: 'CURSOR_INVALID' } }]);

  test('shows nothing of the entry, and is the same for the same entry', async () => {
    await createNamed(['Canary name'], { enabled: true });
    const cursor = await cursorOf('mcpServerConfigs', 'member');
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('anary');
    expect(await cursorOf('mcpServerConfigs', 'member')).toBe(cursor);
  });

  test('that the gateway did not make is CURSOR_INVALID', async () => {
    const plain = Buffer.from('["config","a","00000000-0000-4000-8000-000000000001"]').toString('base64url');
    for (const after of ['', '%%%', 'AAAA', plain, 'A'.repeat(100), 'A'.repeat(10_000)]) {
      await expectInvalid('mcpServerConfigs', 'member', after);
    }
  });

  test('that was changed anywhere is CURSOR_INVALID', async () => {
    await createNamed(['a'], { enabled: true });
    const cursor = await cursorOf('mcpServerConfigs', 'member');
    for (const [index, letter] of [...cursor].entries()) {
      const other = letter === 'A' ? 'B' : 'A';
      await expectInvalid('mcpServerConfigs', 'member', cursor.slice(0, index) + other + cursor.slice(index + 1));
    }
    for (const after of [cursor.slice(0, -1), `${cursor}A`, `${cursor}=`]) {
      await expectInvalid('mcpServerConfigs', 'member', after);
    }
  });

  test("of another user or of another list is CURSOR_INVALID, and one's own is not", async () => {
    await createNamed(['a'], { enabled: true });
    const cursor = await cursorOf('mcpServerConfigs', 'admin');
    expect((await page('mcpServerConfigs', 'admin', cursor)).errors).toBeUndefined();
    await expectInvalid('mcpServerConfigs', 'auditor', cursor);
    await expectInvalid('mcpServerConfigs', 'member', cursor);
    await expectInvalid('users', 'admin', cursor);
    await expectInvalid('auditLog', 'admin', cursor);
    await expectInvalid('mcpServerConfigs', 'admin', await cursorOf('users', 'admin'));
  });
});

describe.runIf(onMainDatabase)('filters', () => {
  test('narrow the list and its count', async () => {
    const key = { authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: 'k' };
    await createNamed(['Alpha'], { enabled: true, availability: 'FORCE_ON', slug: 'first' });
    await createNamed(['Beta'], { ...key, enabled: true });
    await createNamed(['Gamma 100%'], { ...key, availability: 'FORCE_ON' });
    await createNamed(['under_score', 'under-score', 'back\\slash']);
    const cases: [object, string[]][] = [
      [{ enabled: true }, ['Alpha', 'Beta']],
      [{ enabled: false, authType: 'API_KEY' }, ['Gamma 100%']],
      [{ authType: 'API_KEY' }, ['Beta', 'Gamma 100%']],
      [{ availability: 'FORCE_ON', enabled: true }, ['Alpha']],
      [{ authType: 'OAUTH2' }, []],
      [{ search: 'ALPH' }, ['Alpha']],
      [{ search: 'FIRST' }, ['Alpha']],
      [{ search: '%' }, ['Gamma 100%']],
      [{ search: '_' }, ['under_score']],
      [{ search: '\\' }, ['back\\slash']],
      [{ search: 'a', enabled: true }, ['Alpha', 'Beta']],
      [{ enabled: null, search: null }, ['Alpha', 'Beta', 'Gamma 100%', 'back\\slash', 'under-score', 'under_score']],
    ];
    for (const [filter, names] of cases) {
      expect(await list({ filter }), JSON.stringify(filter)).toMatchObject({ names, totalCount: names.length });
    }
  });

  test("by state take the viewer's own, page by page in each order, and count alike", async () => {
    const oauth = {
      authType: 'OAUTH2',
      oauth2ClientId: 'client',
      oauth2AuthUrl: 'https://login.example.com/authorize',
      oauth2TokenUrl: 'https://login.example.com/token',
      enabled: true,
    };
    const { member, admin } = gateway.tokens;
    await createNamed(['Open 1', 'Open 2', 'Open 3'], { enabled: true });
    await createNamed(['Off'], { ...oauth, enabled: false });
    const ids = new Map<string, string>();
    for (const name of ['Mine', 'New 1', 'New 2', 'Over', 'Sealed']) {
      ids.set(name, await createId(gateway, { displayName: name, ...oauth }));
    }
    const { member: userId } = gateway.userIds;
    await insertUserToken(gateway, { configId: ids.get('Mine') ?? '', userId });
    await gateway.database.query(
      "INSERT INTO mcp_server_ended_connections (mcp_server_config_id, user_id, reason) VALUES ($1::uuid, $2::uuid, 'x')",
      [ids.get('Over'), userId],
    );
    const cases: [string, object, string[]][] = [
      [member, { viewerState: 'READY' }, ['Mine', 'Open 1', 'Open 2', 'Open 3']],
      [member, { viewerState: 'READY', authType: 'OAUTH2' }, ['Mine']],
      [member, { viewerState: 'READY', search: 'OPEN' }, ['Open 1', 'Open 2', 'Open 3']],
      [member, { viewerState: 'NEEDS_CONNECT' }, ['New 1', 'New 2', 'Sealed']],
      [member, { viewerState: 'NEEDS_CONNECT', authType: 'NONE' }, []],
      [member, { viewerState: 'RECONNECT' }, ['Over']],
      [member, { viewerState: 'UNAVAILABLE' }, []],
      [member, { viewerState: 'DISABLED' }, []],
      [member, { viewerState: 'READY', enabled: false }, []],
      [admin, { viewerState: 'DISABLED' }, ['Off']],
      [admin, { viewerState: 'NEEDS_CONNECT' }, ['Mine', 'New 1', 'New 2', 'Over', 'Sealed']],
      [admin, { viewerState: null }, ['Mine', 'New 1', 'New 2', 'Off', 'Open 1', 'Open 2', 'Open 3', 'Over', 'Sealed']],
    ];
    for (const [token, filter, names] of cases) {
      for (const [orderBy, expected] of [['NAME_ASC', names] as const, ['NAME_DESC', names.toReversed()] as const]) {
        for (const first of [1, 2, 50]) {
          const pages = await listAll(first, token, { filter, orderBy });
          const what = JSON.stringify({ filter, orderBy, first });
          expect(
            pages.flatMap((page) => page.names),
            what,
          ).toEqual(expected);
          for (const page of pages) expect(page.totalCount, what).toBe(names.length);
          expect(pages, what).toHaveLength(Math.max(1, Math.ceil(names.length / first)));
        }
      }
    }
  });

  test('do not show or count disabled configs for a member', async () => {
    await createNamed(['Shown'], { enabled: true });
    await createNamed(['Hidden'], { slug: 'hidden' });
    for (const filter of [{}, { search: 'Shown' }, { enabled: true }]) {
      expect(await list({ filter }, gateway.tokens.member)).toMatchObject({ names: ['Shown'], totalCount: 1 });
    }
    for (const filter of [{ enabled: false }, { search: 'hidden' }]) {
      expect(await list({ filter }, gateway.tokens.member)).toMatchObject({ names: [], totalCount: 0 });
    }
    for (const token of [gateway.tokens.auditor, gateway.tokens.service]) {
      expect((await list({}, token)).names).toEqual(['Hidden', 'Shown']);
    }
  });
});

describe.runIf(onMainDatabase)('one config', () => {
  test('that is disabled looks like a missing one to a member', async () => {
    const slug = uniqueSlug();
    const id = await createId(gateway, { slug });
    const missing = '00000000-0000-4000-8000-00000000dead';
    const ask = async (args: string, token: string) => {
      const response = await gateway.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: `{ mcpServerConfig(${args}) { id slug } }` }),
      });
      return `${response.status} ${await response.text()}`;
    };
    const { member, admin } = gateway.tokens;
    const nothing = await ask(`id: "${missing}"`, member);
    expect(nothing).toBe('200 {"data":{"mcpServerConfig":null}}');
    expect(await ask(`id: "${id}"`, member)).toBe(nothing);
    expect(await ask(`slug: "${slug}"`, member)).toBe(nothing);
    expect(await ask(`slug: "${slug}"`, admin)).toContain(id);
  });

  test('is found by id or slug, not by both or neither', async () => {
    const slug = uniqueSlug();
    const id = await createId(gateway, { slug });
    const ask = (args: string) =>
      gateway.graphql(`{ mcpServerConfig${args} { slug } }`, { token: gateway.tokens.admin });
    expect((await ask(`(id: "${id.toUpperCase()}")`)).data.mcpServerConfig).toEqual({ slug });
    expect((await ask(`(slug: "${slug}", id: null)`)).data.mcpServerConfig).toEqual({ slug });
    for (const args of ['', `(id: "${id}", slug: "${slug}")`, '(id: null, slug: null)']) {
      expect((await ask(args)).errors).toMatchObject([{ extensions: { code: 'VALIDATION_FAILED' } }]);
    }
  });
});
