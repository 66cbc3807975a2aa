import { type GraphQLObjectType, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findAnswerReach } from '../../src/graphql/answer-reach.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { SERVER_URL } from '../setup/sealed-text.ts';
import { createId } from './config-operations.ts';
import { openEvents } from './sse-client.ts';
import { insertUserToken } from './user-tokens.ts';

const schema = buildSchema();

/** For whom the value of each field is the same. A new field needs a line here. */
const REACH: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'id',
      'slug',
      'displayName',
      'description',
      'iconUrl',
      'iconHref',
      'authType',
      'availability',
      'enabled',
      'toolAllowList',
    ]
      .concat(['toolDenyList', 'hasOAuth2Secret', 'hasApiKey', 'hasCustomHeaders', 'version', 'createdAt', 'updatedAt'])
      .concat(['url', 'transport', 'oauth2ClientId', 'oauth2AuthUrl', 'oauth2TokenUrl', 'oauth2RevocationUrl'])
      .concat([
        'oauth2Issuer',
        'oauth2Scopes',
        'oauth2ResourceMode',
        'oauth2CallbackMode',
        'oauthCallbackUrl',
        'apiKeyHeader',
        'toolApproval',
        'exposeResources',
        'exposePrompts',
      ])
      .map((field) => [field, 'role']),
  ),
  authConnected: 'viewer',
  viewerState: 'viewer',
  viewerStateReason: 'viewer',
  'createdBy { id }': 'nobody',
  'updatedBy { id }': 'nobody',
  connectedUserCount: 'nobody',
  'reachability { state }': 'nobody',
  'usage { lastDay { calls } }': 'nobody',
  'tools { totalCount }': 'nobody',
  'toolListWarnings { name }': 'nobody',
};

/** The same of what is in a chat. */
const CHAT_REACH: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Chat: {
    ...{ id: 'viewerInChat', title: 'viewerInChat', mcpServerIds: 'viewerInChat', createdAt: 'viewerInChat' },
    ...{ updatedAt: 'viewerInChat', 'owner { id }': 'nobody', 'messages { totalCount }': 'nobody' },
  },
  ChatMcpServer: {
    ...{ source: 'viewerInChat', state: 'viewerInChat', reason: 'viewerInChat' },
    ...{ 'config { id viewerState }': 'viewerInChat', 'config { connectedUserCount }': 'nobody' },
  },
  AvailableMcpServer: {
    ...{ availability: 'viewerInChat', source: 'viewerInChat', state: 'viewerInChat', reason: 'viewerInChat' },
    ...{ isLocked: 'viewerInChat', 'config { slug }': 'viewerInChat', 'config { createdBy { id } }': 'nobody' },
  },
};
/** The fields of chats that lead to these types. */
const WAYS = {
  Chat: (field: string) => field,
  ChatMcpServer: (field: string) => `mcpServers { ${field} }`,
  AvailableMcpServer: (field: string) => `availableMcpServers { ${field} }`,
};

describe('an answer may be reused', () => {
  describe.each(Object.entries(WAYS))('for fields of %s', (type, toSelection) => {
    const reach = CHAT_REACH[type] ?? {};

    test('in the table, and no others', () => {
      const covered = [...Object.keys(reach), ...(type === 'Chat' ? ['mcpServers', 'availableMcpServers'] : [])];
      const fields = (schema.getType(type) as GraphQLObjectType).getFields();
      expect(Object.keys(fields).sort()).toEqual([...new Set(covered.map((field) => field.split(' ')[0]))].sort());
    });

    test.each(Object.entries(reach))('%s: %s', (field, expected) => {
      const selection = toSelection(field);
      for (const text of [
        `query ($id: UUID!) { chat(id: $id) { ${selection} } }`,
        `{ mcpServerConfigs { totalCount } chat(id: "x") { ...f } } fragment f on Chat { ${selection} }`,
      ]) {
        expect(findAnswerReach(schema, parse(text)), text).toBe(expected);
      }
      expect(findAnswerReach(schema, parse(`{ chats { nodes { ${selection} } } }`))).toBe('nobody');
    });
  });

  test('for fields in the table, and no others', () => {
    const fields = Object.values(schema.getType('McpServerConfig')?.toConfig() ?? {}).find(
      (value): value is Record<string, unknown> => typeof value === 'object' && value !== null && 'slug' in value,
    );
    const names = Object.keys(REACH).map((field) => field.split(' ')[0]);
    expect(Object.keys(fields ?? {}).sort()).toEqual(names.sort());
  });

  test.each(Object.entries(REACH))('%s: to everyone of the same %s', (field, reach) => {
    for (const text of [
      `{ mcpServerConfigs { nodes { id ${field} } } }`,
      `{ mcpServerConfigs { edges { node { ...f } } } } fragment f on McpServerConfig { ${field} }`,
      `subscription ($after: String) { mcpServerConfigEvents(after: $after) { type cursor config { ${field} } } }`,
      `query A { viewerless: mcpServerConfig(slug: "x") { ... { alias: id ${field} } } }`,
    ]) {
      expect(findAnswerReach(schema, parse(text)), text).toBe(reach);
    }
  });

  test.each([
    '{ mcpServerConfigs(filter: { enabled: true, viewerState: READY }) { totalCount } }',
    'query ($s: McpServerState) { mcpServerConfigs(filter: { viewerState: $s }) { nodes { id } } }',
    'query ($f: McpServerConfigFilter = { viewerState: READY }) { mcpServerConfigs(filter: $f) { totalCount } }',
  ])('%s: to the viewer, who alone has this state', (text) => {
    expect(findAnswerReach(schema, parse(text))).toBe('viewer');
  });

  test.each([
    '{ viewer { id } }',
    '{ mcpServerConfigs { nodes { id } } viewer { id } }',
    '{ chats { nodes { id } } }',
    '{ __schema { queryType { name } } }',
    'mutation { deleteMcpServerConfig(id: "x") { deletedId } }',
    'subscription { mcpServerConfigEvents { cursor config { createdBy { id } } } }',
    'query A { mcpServerConfigs { nodes { id } } } query B { viewer { id } }',
  ])('but not to %s', (text) => {
    expect(findAnswerReach(schema, parse(text))).toBe('nobody');
  });
});

describe('an answer from memory', () => {
  let gateway: TestGateway;
  let id: string;
  beforeAll(async () => {
    gateway = await createTestGateway();
    id = await createId(gateway, {
      enabled: true,
      authType: 'OAUTH2',
      oauth2ClientId: 'client',
      oauth2AuthUrl: 'https://login.example.com/authorize',
      oauth2TokenUrl: 'https://login.example.com/token',
    });
  });
  afterAll(() => gateway?.close());

  const ask = async (query: string, token: string, variables?: object) => {
    const { data, errors } = await gateway.graphql(query, { token, variables });
    return errors === undefined ? data : errors[0].extensions.code;
  };
  /** Another user with the same role. */
  const createMember = async (): Promise<string> => {
    const email = `${crypto.randomUUID()}@example.com`;
    const { createUser } = await asAdmin(`mutation { createUser(input: { email: "${email}" }) { id } }`);
    const made = await asAdmin(
      `mutation { createApiToken(input: { userId: "${createUser.id}", name: "t" }) { token } }`,
    );
    return made.createApiToken.token;
  };
  const asAdmin = async (query: string) => ask(query, gateway.tokens.bootstrap);
  const LIST = '{ mcpServerConfigs { totalCount nodes { id url enabled authConnected viewerState } } }';

  test('belongs to its caller, whoever asked before', async () => {
    const { tokens, userIds } = gateway;
    const another = await createMember();
    await insertUserToken(gateway, { configId: id, userId: userIds.member });
    const twice = async (token: string) => {
      const first = await ask(LIST, token);
      expect(await ask(LIST, token)).toEqual(first);
      return first.mcpServerConfigs.nodes[0];
    };
    for (let round = 0; round < 2; round += 1) {
      expect(await twice(tokens.member)).toMatchObject({ url: null, authConnected: true, viewerState: 'READY' });
      expect(await twice(another)).toMatchObject({ url: null, authConnected: false, viewerState: 'NEEDS_CONNECT' });
      expect(await twice(tokens.admin)).toMatchObject({ url: expect.any(String), viewerState: 'NEEDS_CONNECT' });
      expect(await twice(tokens.auditor)).toMatchObject({ url: expect.any(String), authConnected: false });
      expect(await ask(LIST, tokens.suspended)).toBe('UNAUTHENTICATED');
    }
    await asAdmin(`mutation { removeMcpServerUserTokens(id: "${id}") { removedCount } }`);
    expect(await twice(tokens.member)).toMatchObject({ authConnected: false, viewerState: 'NEEDS_CONNECT' });
  });

  test("of a filter by the viewer's state belongs to its caller, also if variables ask for it", async () => {
    const { tokens, userIds } = gateway;
    const another = await createMember();
    await insertUserToken(gateway, { configId: id, userId: userIds.member });
    const query = 'query ($f: McpServerConfigFilter) { mcpServerConfigs(filter: $f) { totalCount nodes { id } } }';
    const countOf = async (viewerState: string, token: string) =>
      (await ask(query, token, { f: { viewerState } })).mcpServerConfigs.totalCount;
    for (let round = 0; round < 2; round += 1) {
      expect([await countOf('READY', tokens.member), await countOf('NEEDS_CONNECT', tokens.member)]).toEqual([1, 0]);
      expect([await countOf('READY', another), await countOf('NEEDS_CONNECT', another)]).toEqual([0, 1]);
    }
    await asAdmin(`mutation { removeMcpServerUserTokens(id: "${id}") { removedCount } }`);
    expect([await countOf('READY', tokens.member), await countOf('NEEDS_CONNECT', tokens.member)]).toEqual([0, 1]);
  });

  test('matches the operation and the variables that were sent', async () => {
    const other = await createId(gateway, { enabled: true, displayName: 'other', slug: 'other' });
    const query = `query One($slug: String) { mcpServerConfig(slug: $slug) { id } }
      query Two($slug: String) { mcpServerConfig(slug: $slug) { id slug } }`;
    const send = async (operationName: string, slug: string) => {
      const response = await gateway.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.tokens.member}` },
        body: JSON.stringify({ query, operationName, variables: { slug } }),
      });
      return ((await response.json()) as { data: unknown }).data;
    };
    for (let round = 0; round < 2; round += 1) {
      expect(await send('One', 'other')).toEqual({ mcpServerConfig: { id: other } });
      expect(await send('Two', 'other')).toEqual({ mcpServerConfig: { id: other, slug: 'other' } });
      expect(await send('One', 'none')).toEqual({ mcpServerConfig: null });
    }
    await asAdmin(`mutation { deleteMcpServerConfig(id: "${other}") { deletedId } }`);
    expect(await send('One', 'other')).toEqual({ mcpServerConfig: null });
  });

  test('is recomputed after each change of a config, a role or a user', async () => {
    const { token } = (
      await asAdmin(`mutation { createApiToken(input: { userId: "${gateway.userIds.auditor}", name: "t" }) { token } }`)
    ).createApiToken;
    const url = async () => (await ask(LIST, token)).mcpServerConfigs?.nodes[0]?.url;
    const setUser = (patch: string) =>
      asAdmin(`mutation { updateUser(id: "${gateway.userIds.auditor}", patch: ${patch}) { id } }`);
    const before = await url();
    await asAdmin(`mutation { updateMcpServerConfig(id: "${id}", patch: { url: "https://new.example.com/" }) { id } }`);
    expect(await url()).not.toBe(before);
    await setUser('{ role: MEMBER }');
    expect(await url()).toBeNull();
    await asAdmin(`mutation { updateMcpServerConfig(id: "${id}", patch: { enabled: false }) { id } }`);
    expect(await url()).toBeUndefined();
    await setUser('{ role: AUDITOR }');
    expect(await url()).toBe('https://new.example.com/');
    await setUser('{ status: SUSPENDED }');
    expect(await ask(LIST, token)).toBe('UNAUTHENTICATED');
    await setUser('{ status: ACTIVE }');
    await asAdmin(`mutation { updateMcpServerConfig(id: "${id}", patch: { enabled: true }) { id } }`);
  });

  test('is recomputed when a secret turns out to be undecryptable', async () => {
    const { database, tokens, secrets } = gateway;
    const broken = await createId(gateway, {
      enabled: true,
      authType: 'API_KEY',
      apiKeyHeader: 'x-key',
      apiKeyValue: 'secret',
    });
    const state = async () =>
      (await ask(`{ mcpServerConfig(id: "${broken}") { viewerState } }`, tokens.member)).mcpServerConfig.viewerState;
    await database.query(
      `UPDATE mcp_server_configs SET api_key_value = left(api_key_value, -2) || 'AA' WHERE id = $1::uuid`,
      [broken],
    );
    expect(await state()).toBe('READY');
    await expect(secrets.open(broken, 'apiKeyValue', [SERVER_URL])).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    });
    expect(await state()).toBe('UNAVAILABLE');
    await asAdmin(`mutation { updateMcpServerConfig(id: "${broken}", patch: { apiKeyValue: "new" }) { id } }`);
    expect(await state()).toBe('READY');
  });

  test('is never a refusal, which is made, reported and counted each time', async () => {
    const query = '{ mcpServerConfigs(first: 501) { totalCount } }';
    for (let round = 0; round < 2; round += 1) {
      expect(await ask(query, gateway.tokens.member)).toBe('VALIDATION_FAILED');
    }
    const operations = gateway
      .logs()
      .split('\n')
      .filter((line) => line.includes('"outcome":"VALIDATION_FAILED"'));
    expect(operations.length).toBeGreaterThanOrEqual(2);
  });

  test("to a subscription is each subscriber's own event, shared with those who ask the same at the same time", async () => {
    const { tokens, userIds } = gateway;
    const mine = await createId(gateway, {
      enabled: true,
      authType: 'OAUTH2',
      oauth2ClientId: 'client',
      oauth2AuthUrl: 'https://login.example.com/authorize',
      oauth2TokenUrl: 'https://login.example.com/token',
    });
    const other = await createId(gateway, { enabled: true });
    const starts = new Map<string, string>();
    const follow = async (token: string, fields: string, flag?: boolean) => {
      const after = starts.get(token) ?? '';
      const stream = await openEvents(gateway, token, { fields, after, ...(flag !== undefined && { flag }) });
      return { next: () => stream.next(), close: () => stream.close() };
    };
    const another = await createMember();
    for (const token of [tokens.admin, tokens.auditor, tokens.service, tokens.member, another]) {
      const stream = await openEvents(gateway, token);
      starts.set(token, (await stream.nextOfAny())?.cursor ?? '');
      await stream.close();
    }
    const shared = 'type cursor configId changedFields config { url version }';
    const own = 'type cursor configId config { authConnected }';
    const optional = 'type cursor configId config { id version @include(if: $flag) }';
    const roles = ['admin', 'auditor', 'service', 'member', 'member', 'admin'] as const;
    const streams = await Promise.all(roles.map((role) => follow(tokens[role], shared)));
    const owners = await Promise.all([tokens.member, tokens.auditor, another].map((token) => follow(token, own)));
    const flagged = await Promise.all([true, false].map((flag) => follow(tokens.member, optional, flag)));
    await insertUserToken(gateway, { configId: mine, userId: userIds.member });
    await asAdmin(
      `mutation { updateMcpServerConfig(id: "${mine}", patch: { description: "x", url: "https://mcp.example.com/e" }) { id } }`,
    );
    await asAdmin(`mutation { updateMcpServerConfig(id: "${other}", patch: { description: "y" }) { id } }`);
    for (const [index, role] of roles.entries()) {
      const found = [];
      do found.push(await streams[index]?.next());
      while (found.at(-1) !== undefined && found.at(-1)?.configId !== other);
      const about = found.filter((event) => event?.configId === mine);
      const isMember = role === 'member';
      expect(about.map((event) => event?.changedFields)).toEqual([
        ...(isMember ? [['authConnected']] : []),
        isMember ? ['description'] : ['description', 'url'],
      ]);
      for (const event of about.slice(-1))
        expect(event?.config?.['url']).toBe(isMember ? null : 'https://mcp.example.com/e');
    }
    const [ofMember, ofAuditor, ofAnother] = owners;
    // The first one receives their connection change, then both receive the config change.
    await ofMember?.next();
    expect((await ofMember?.next())?.config).toEqual({ authConnected: true });
    expect((await ofAuditor?.next())?.config).toEqual({ authConnected: false });
    expect((await ofAnother?.next())?.config).toEqual({ authConnected: false });
    const [withIt, withoutIt] = flagged;
    expect((await withIt?.next())?.config).toEqual({ id: mine, version: 1 });
    expect((await withoutIt?.next())?.config).toEqual({ id: mine });
    for (const stream of [...streams, ...owners, ...flagged]) await stream.close();
  });
});
