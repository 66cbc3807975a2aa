import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConnectedWorld, connectUrl, openConnectedWorld } from '../http/connection-setup.ts';
import { SERVERS } from '../http/rest-client.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import {
  type HostileUpstream,
  sendStatus,
  sendText,
  startHostileUpstream,
  UPSTREAM_CANARY,
} from '../setup/hostile-upstream.ts';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';

const KEY = 'the-key-that-is-stored-8c1f';
const TEST = `mutation ($input: TestMcpServerInput!) {
  testMcpServer(input: $input) { isOk steps { name outcome ms found advice problem } }
}`;

let world: ConnectedWorld;
let modern: SmallMcpServer;
let other: SmallMcpServer;
let hostile: HostileUpstream;

beforeAll(async () => {
  [world, modern, other, hostile] = await Promise.all([
    openConnectedWorld(),
    startModernServer(),
    startModernServer(),
    startHostileUpstream(),
  ]);
});
afterAll(async () => {
  await world?.close();
  await Promise.all([modern?.close(), other?.close(), hostile?.close()]);
});

async function run(input: unknown, role: 'admin' | 'auditor' | 'service' | 'member' = 'admin') {
  const { gateway } = world;
  const { data, errors } = await gateway.graphql(TEST, { token: gateway.tokens[role], variables: { input } });
  return { result: data?.testMcpServer, errors };
}

/** Outcomes by step: `+` ok, `-` failed, with the problem; skipped ones are left out. */
async function summarize(input: unknown): Promise<string[]> {
  const { result, errors } = await run(input);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  expect(JSON.stringify(result)).not.toContain(UPSTREAM_CANARY);
  expect(JSON.stringify(result)).not.toContain(KEY);
  expect(result.steps).toHaveLength(9);
  for (const { outcome, advice, found } of result.steps) {
    expect(found).not.toBe('');
    if (outcome === 'failed') expect(advice).toEqual(expect.any(String));
  }
  return result.steps
    .filter(({ outcome }: any) => outcome !== 'SKIPPED')
    .map(({ name, outcome, problem }: any) => (outcome === 'OK' ? `+${name}` : `-${name} ${problem}`));
}

const REACHED = ['+NAME', '+ADDRESS', '+HTTP'];

describe('a server that works', () => {
  test('is shown to work, without and with a secret, and nothing is stored', async () => {
    const open = { settings: { url: modern.url } };
    expect(await summarize(open)).toEqual([...REACHED, '+PROTOCOL', '+AUTHORIZATION_NOBODY', '+TOOLS']);
    const id = await world.define({
      url: modern.url,
      auth_type: 'api_key',
      api_key_header: 'X-Key',
      api_key_value: KEY,
    });
    expect(await summarize({ id })).toEqual([
      ...REACHED,
      '+PROTOCOL',
      '+AUTHORIZATION_NOBODY',
      '+AUTHORIZATION_SECRET',
      '+TOOLS',
    ]);
    expect(modern.seen.some(({ headers }) => headers['x-key'] === KEY)).toBe(true);
    const { data } = await world.gateway.graphql('{ mcpServerConfigs(first: 100) { nodes { slug } } }', {
      token: world.gateway.tokens.admin,
    });
    expect(data.mcpServerConfigs.nodes.some(({ slug }: any) => slug === 'test')).toBe(false);
  });

  test('is tested with the admin’s own connection, and with nobody else’s', async () => {
    const id = await world.define();
    const before = [...REACHED, '+AUTHORIZATION_NOBODY'];
    expect(await summarize({ id })).toEqual(before);
    const connect = async (token: string) => {
      const page = await (await world.signIn(token)).navigate(connectUrl(id), { from: TEST_PUBLIC_URL });
      expect(page.status, page.text).toBe(200);
    };
    await connect(world.gateway.tokens.member);
    expect(await summarize({ id })).toEqual(before);
    await connect(world.gateway.tokens.admin);
    expect(await summarize({ id })).toEqual([
      ...REACHED,
      '+PROTOCOL',
      '+AUTHORIZATION_NOBODY',
      '+AUTHORIZATION_OWN',
      '+TOOLS',
    ]);
    const seen = world.mcp.seenTokens.length;
    expect(await summarize({ id, settings: { url: other.url } })).toContain('+AUTHORIZATION_NOBODY');
    expect(world.mcp.seenTokens.length).toBe(seen);
    expect(other.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });
});

describe('a server that does not work', () => {
  test.each<[string, () => Record<string, unknown>, string[]]>([
    ['has no name', () => ({ url: 'https://nowhere.invalid/mcp' }), ['-NAME NOT_RESOLVED']],
    ['speaks no TLS', () => ({ url: `https://127.0.0.1:${hostile.port}/x` }), ['+NAME', '+ADDRESS', '-TLS TLS_FAILED']],
    ['is at a private address', () => ({ url: 'https://10.1.2.3/mcp' }), ['+NAME', '-ADDRESS ADDRESS_REFUSED']],
    ['is a page', () => ({ url: hostile.urlOf('/page') }), [...REACHED, '-PROTOCOL NOT_MCP']],
    ['redirects', () => ({ url: hostile.urlOf('/moved') }), [...REACHED, '-PROTOCOL REDIRECTED']],
    ['breaks', () => ({ url: hostile.urlOf('/broken') }), [...REACHED, '-PROTOCOL UNAVAILABLE']],
    [
      'wants credentials',
      () => ({ url: hostile.urlOf('/closed') }),
      [...REACHED, '-AUTHORIZATION_NOBODY UNAUTHORIZED'],
    ],
    [
      'lists no tools',
      () => ({ url: hostile.urlOf('/listless') }),
      [...REACHED, '+PROTOCOL', '+AUTHORIZATION_NOBODY', '-TOOLS PROTOCOL_ERROR'],
    ],
    [
      'refuses the key',
      () => ({ url: hostile.urlOf('/closed'), authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: KEY }),
      [...REACHED, '+AUTHORIZATION_NOBODY', '-AUTHORIZATION_SECRET UNAUTHORIZED'],
    ],
  ])('because it %s is told where', async (_name, makeSettings, steps) => {
    hostile.on('/page', (request, response) => sendText(UPSTREAM_CANARY, 'text/html')(request as never, response));
    hostile.on('/moved', sendStatus(302, { location: 'http://127.0.0.1:1/' }));
    hostile.on('/broken', sendStatus(500));
    hostile.on('/closed', sendStatus(401));
    hostile.onMethod('/listless', { 'tools/list': () => ({}) });
    expect(await summarize({ settings: makeSettings() })).toEqual(steps);
  });
});

describe('stored secrets', () => {
  test('never go to another origin: they must be given again', async () => {
    const id = await world.define({
      url: modern.url,
      auth_type: 'api_key',
      api_key_header: 'X-Key',
      api_key_value: KEY,
    });
    const before = other.seen.length;
    const { errors } = await run({ id, settings: { url: other.url } });
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'VALIDATION_FAILED',
      issues: [{ path: ['settings', 'apiKeyValue'], code: 'SECRET_NOT_RESENT' }],
    });
    expect(other.seen.length).toBe(before);
    await summarize({ id, settings: { url: other.url, apiKeyValue: 'another' } });
    expect(other.seen.some(({ headers }) => headers['x-key'] === 'another')).toBe(true);
    expect(other.seen.some(({ headers }) => headers['x-key'] === KEY)).toBe(false);
  });
});

test('only admins may test, by GraphQL and by REST, and each test is in the audit log', async () => {
  const { gateway } = world;
  const id = await world.define({ url: modern.url, auth_type: 'none' });
  const before = modern.seen.length;
  for (const role of ['auditor', 'service', 'member'] as const) {
    const { errors } = await run({ id }, role);
    expect(errors?.[0]?.extensions.code, role).toBe('FORBIDDEN');
    const answer = await gateway.fetch(`${SERVERS}/${id}/test`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.tokens[role]}` },
    });
    expect(answer.status, role).toBe(403);
  }
  expect(modern.seen.length).toBe(before);
  const answer = await gateway.fetch(`${SERVERS}/${id}/test`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.tokens.admin}` },
  });
  const body = (await answer.json()) as { is_ok: boolean; steps: { name: string }[] };
  expect(body).toMatchObject({
    is_ok: true,
    steps: expect.arrayContaining([expect.objectContaining({ name: 'tools', outcome: 'ok' })]),
  });
  const { data } = await gateway.graphql('{ auditLog(first: 1) { nodes { action targetId reason } } }', {
    token: gateway.tokens.admin,
  });
  expect(data.auditLog.nodes).toMatchObject([
    { action: 'MCP_SERVER_CONFIG_TEST', targetId: id, reason: `Called ${new URL(modern.url).origin}.` },
  ]);
});
