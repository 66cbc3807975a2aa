import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { generateApiToken, hashToken } from '../../src/domain/credentials/token-format.ts';
import { listen } from '../../src/http/node-server.ts';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { openSocket } from '../setup/socket-client.ts';
import { logStatements } from '../setup/statement-log.ts';
import { openSession } from './browser-session.ts';

/** How many wrong credentials a network may send in a minute: few, so that floods need not be long. */
const LIMIT = 20;

let gateway: TestGateway;
let statements: string[];
let close: () => Promise<void>;
beforeAll(async () => {
  ({ gateway, statements, close } = await open(LIMIT));
});
afterAll(() => close?.());

async function open(limit: number) {
  const own = await openTestDatabase();
  const logged = logStatements(own);
  const opened = await createTestGateway({
    database: logged.database,
    env: { GATEHOUSE_MAX_WRONG_CREDENTIALS_PER_MINUTE: String(limit) },
  });
  return {
    gateway: opened,
    statements: logged.statements,
    async close() {
      await opened.close();
      await own.close();
    },
  };
}
/** Every network may guess as if it had never done so. */
beforeEach(() => gateway.clock.advance(60_000));

const WHO = `/graphql?${new URLSearchParams({ query: '{ viewer { id } }' })}`;

/** A request of a page of the gateway, as the Node server passes it on. @returns the status */
async function ask(address: string, given: Record<string, string>, path = WHO): Promise<number> {
  return (await send(address, path, { headers: given })).status;
}

async function send(address: string, path: string, init: RequestInit, app = gateway.app): Promise<Response> {
  const headers = { 'sec-fetch-site': 'same-origin', ...(init.headers as Record<string, string>) };
  const request = new Request(new URL(path, gateway.config.publicUrl), { ...init, headers });
  const incoming = Object.assign(request.body ?? [], { socket: { remoteAddress: address } });
  return app.fetch(request, { incoming });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
/** Well-formed, so that only the database knows that there is no such token. */
const junkToken = () => bearer(generateApiToken().expose());
const junkCookie = () => ({ cookie: `gatehouse_session=${randomBytes(32).toString('base64url')}` });
const junkJwt = () => bearer(`a.${randomBytes(8).toString('hex')}.c`);
const junkText = () => bearer(randomBytes(24).toString('base64url'));

async function flood(address: string, junk: () => Record<string, string>, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) statuses.push(await ask(address, junk()));
  return statuses;
}

describe('after as many wrong credentials from one address as there may be', () => {
  test.each([
    ['API tokens', junkToken, '203.0.113.1'],
    ['session cookies', junkCookie, '203.0.113.2'],
    ['JWTs', junkJwt, '203.0.113.3'],
    ['guesses of the operator’s token', junkText, '203.0.113.4'],
  ])('further %s are refused without a database query', async (_name, junk, address) => {
    expect(new Set(await flood(address, junk, LIMIT))).toEqual(new Set([401]));
    statements.length = 0;
    expect(new Set(await flood(address, junk, 10))).toEqual(new Set([429]));
    expect(statements).toEqual([]);
  });

  test('sign-in links are refused, too', async () => {
    const link = () => `/auth/sign-in?token=${randomBytes(32).toString('base64url')}`;
    for (let index = 0; index < LIMIT; index += 1) expect(await ask('203.0.113.5', {}, link())).toBe(401);
    expect(await ask('203.0.113.5', {}, link())).toBe(429);
  });

  test('a credential that was good from there before still is, and a new one is once the guesses stop', async () => {
    const cookie = await openSession(gateway, gateway.tokens.member);
    const address = '203.0.113.6';
    expect(await ask(address, bearer(gateway.tokens.member))).toBe(200);
    expect(await ask(address, { cookie })).toBe(200);
    await flood(address, junkToken, LIMIT + 5);
    for (let index = 0; index < LIMIT; index += 1) {
      expect(await ask(address, bearer(gateway.tokens.member))).toBe(200);
      expect(await ask(address, { cookie })).toBe(200);
    }
    expect(await ask(address, bearer(gateway.tokens.admin))).toBe(429);
    // However long the guesses went on: nobody waits for more than a minute after them.
    gateway.clock.advance(60_000);
    expect(await ask(address, bearer(gateway.tokens.admin))).toBe(200);
  });

  test('a guess of the operator’s token is refused even if it is right', async () => {
    expect(await ask('203.0.113.7', bearer(gateway.tokens.bootstrap))).toBe(200);
    await flood('203.0.113.8', junkText, LIMIT);
    expect(await ask('203.0.113.8', bearer(gateway.tokens.bootstrap))).toBe(429);
    expect(await ask('203.0.113.7', bearer(gateway.tokens.bootstrap))).toBe(200);
  });

  test('other addresses are not affected, but the rest of an IPv6 network is', async () => {
    await flood('2001:db8::1', junkToken, LIMIT);
    expect(await ask('2001:db8::ffff:2', bearer(gateway.tokens.service))).toBe(429);
    expect(await ask('2001:db8:0:1::1', bearer(gateway.tokens.service))).toBe(200);
    expect(await ask('198.51.100.1', bearer(gateway.tokens.service))).toBe(200);
  });
});

test('every way in says when to come back', async () => {
  const QUERY = JSON.stringify({ query: '{ viewer { id } }' });
  const json = { 'content-type': 'application/json' };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });

  const ways: [name: string, path: string, init: () => RequestInit][] = [
    ['GraphQL', '/graphql', () => ({ method: 'POST', headers: { ...json, ...junkToken() }, body: QUERY })],
    ['GraphQL by GET', WHO, () => ({ headers: junkToken() })],
    [
      'server-sent events',
      '/graphql',
      () => ({ method: 'POST', headers: { ...json, accept: 'text/event-stream', ...junkCookie() }, body: QUERY }),
    ],
    ['a WebSocket', '/graphql', () => ({ headers: { upgrade: 'websocket', connection: 'upgrade', ...junkToken() } })],
    ['REST', '/api/experimental/mcp/servers', () => ({ headers: junkToken() })],
    [
      'REST with the header of coder',
      '/api/experimental/mcp/servers',
      () => ({ headers: { 'coder-session-token': generateApiToken().expose() } }),
    ],
    ['a door', '/mcp', () => ({ method: 'POST', headers: { ...json, ...junkToken() }, body: message })],
    ['a session', '/auth/session', () => ({ method: 'POST', headers: junkToken() })],
    [
      'the form of the sign-in page',
      '/auth/sign-in',
      () => ({
        method: 'POST',
        headers: { ...form, origin: gateway.config.publicUrl },
        body: new URLSearchParams({ token: generateApiToken().expose() }).toString(),
      }),
    ],
    ['a sign-in link', `/auth/sign-in?token=${'a'.repeat(43)}`, () => ({ headers: { accept: 'text/html' } })],
  ];
  const address = '203.0.113.9';
  await flood(address, junkToken, LIMIT);
  gateway.clock.advance(20_000);
  for (const [name, path, init] of ways) {
    const { status, headers } = await send(address, path, init());
    expect(status, name).toBe(429);
    expect(headers.get('retry-after'), name).toBe('40');
    expect(headers.get('ratelimit'), name).toBe('"wrong-credentials";r=0;t=40');
    expect(headers.get('ratelimit-policy'), name).toBe(`"wrong-credentials";q=${LIMIT};w=60`);
  }
});

describe('two replicas', () => {
  /** Portions are a thirtieth of it. */
  const limit = 60;
  const portion = 2;
  let others: Awaited<ReturnType<typeof open>>;
  let first: Awaited<ReturnType<typeof open>>;
  let second: Replica;
  beforeAll(async () => {
    others = { gateway, statements, close };
    first = await open(limit);
    ({ gateway, statements } = first);
    second = await createReplica(gateway, gateway.database);
  });
  afterAll(async () => {
    ({ gateway, statements } = others);
    await second?.close();
    await first?.close();
  });

  const knock = (address: string, app: TestGateway['app'], count: number) =>
    Promise.all(
      Array.from({ length: count }, async () => (await send(address, WHO, { headers: junkToken() }, app)).status),
    );

  test('count the wrong credentials of a network together', async () => {
    const address = '203.0.113.20';
    expect(new Set(await knock(address, gateway.app, 36))).toEqual(new Set([401]));
    const atSecond = await knock(address, second.gateway.app, limit);
    // In portions, so one of the first replica's and one of its own may be missing.
    const tried = atSecond.filter((status) => status === 401).length;
    expect(tried).toBeGreaterThanOrEqual(limit - 36);
    expect((await send(address, WHO, { headers: bearer(gateway.tokens.admin) }, second.gateway.app)).status).toBe(429);
    gateway.clock.advance(1_000);
    // The first one learns of it with its next portion, long before its own limit.
    await knock(address, gateway.app, portion);
    expect(await ask(address, bearer(gateway.tokens.admin))).toBe(429);
    // Someone at another address is not affected, and nobody is for more than a minute.
    expect(await ask('203.0.113.21', bearer(gateway.tokens.admin))).toBe(200);
    gateway.clock.advance(60_000);
    expect(await ask(address, bearer(gateway.tokens.admin))).toBe(200);
    expect((await send(address, WHO, { headers: bearer(gateway.tokens.admin) }, second.gateway.app)).status).toBe(200);
  });

  test('write little, however much a flood sends: portions, one row for a network, and twenty counts a second', async () => {
    const counts = async () => gateway.database.query('SELECT name, points FROM rate_counts');
    const writes = () => statements.filter((sql) => sql.includes('INTO rate_counts')).length;
    statements.length = 0;
    await flood('203.0.113.22', junkToken, 300);
    expect(writes()).toBeLessThanOrEqual(limit / portion);
    // The end of the last second's counts.
    gateway.clock.advance(61_000);
    statements.length = 0;
    for (let network = 0; network < 50; network += 1) {
      for (let index = 0; index < portion; index += 1) await ask(`2001:db8:${network}::1`, junkToken());
    }
    expect(writes()).toBe(20);
    // What has ended was removed meanwhile.
    expect(await counts()).toHaveLength(20);
    gateway.clock.advance(61_000);
    for (let index = 0; index < portion; index += 1) await ask('203.0.113.23', junkToken());
    expect(await counts()).toHaveLength(1);
  });

  test('count for themselves while the database cannot count', async () => {
    await gateway.database.query('ALTER TABLE rate_counts RENAME TO lost_counts');
    try {
      const statuses = await flood('203.0.113.24', junkToken, limit + 5);
      expect(new Set(statuses.slice(0, limit))).toEqual(new Set([401]));
      expect(new Set(statuses.slice(limit))).toEqual(new Set([429]));
    } finally {
      await gateway.database.query('ALTER TABLE lost_counts RENAME TO rate_counts');
    }
  });
});

test('junk does not push good tokens out of the memory', async () => {
  // The first one records the use of the token.
  for (let round = 0; round < 2; round += 1) {
    expect(await ask('198.51.100.2', bearer(gateway.tokens.auditor))).toBe(200);
  }
  for (let index = 0; index < 300; index += 1) await ask(`10.0.${index % 250}.${index % 7}`, junkToken());
  statements.length = 0;
  expect(await ask('198.51.100.2', bearer(gateway.tokens.auditor))).toBe(200);
  expect(statements.filter((sql) => sql.includes('api_tokens'))).toEqual([]);
});

test('good credentials never use up guesses, even with many at once', async () => {
  const statuses = await Promise.all(
    Array.from({ length: LIMIT - 1 }, () => ask('198.51.100.3', bearer(gateway.tokens.auditor))),
  );
  for (let round = 0; round < 3; round += 1) expect(await ask('198.51.100.3', junkToken())).toBe(401);
  expect(new Set(statuses)).toEqual(new Set([200]));
});

describe('more credentials at once than may be wrong', () => {
  /** Verified by nobody yet. Of four users: one user's share of the process is not what is tested here. */
  async function createTokens(count: number): Promise<string[]> {
    const { admin, auditor, member, service } = gateway.userIds;
    const tokens = Array.from({ length: count }, () => generateApiToken().expose());
    await gateway.database.query(
      `INSERT INTO api_tokens (id, user_id, name, token_hash)
       SELECT gen_random_uuid(), ($1::uuid[])[1 + n % 4], 'many', h
       FROM unnest($2::text[]) WITH ORDINALITY AS t (h, n)`,
      [[admin, auditor, member, service], tokens.map(hashToken)],
    );
    return tokens;
  }

  test('are all accepted if they are right, and use up no guesses', async () => {
    const address = '203.0.113.30';
    const tokens = await createTokens(3 * LIMIT);
    const statuses = await Promise.all(tokens.map((token) => ask(address, bearer(token))));
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(new Set(await flood(address, junkToken, LIMIT))).toEqual(new Set([401]));
    expect(await ask(address, junkToken())).toBe(429);
  });

  test('are looked at as often as they may be wrong, and no more once that is known', async () => {
    statements.length = 0;
    const statuses = await Promise.all(Array.from({ length: 4 * LIMIT }, () => ask('203.0.113.31', junkToken())));
    expect(statuses.filter((status) => status === 401)).toHaveLength(LIMIT);
    expect(statuses.filter((status) => status === 429)).toHaveLength(3 * LIMIT);
    expect(statements.filter((sql) => sql.includes('api_tokens')).length).toBeLessThanOrEqual(LIMIT);
  });
});

test('a wrong token in connection_init counts, and closes the connection with "try again later" in the end', async () => {
  const server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
  try {
    const knock = async (): Promise<number> => {
      const socket = await openSocket(server.port);
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${generateApiToken().expose()}` } });
      return (await socket.closed).code;
    };
    const codes: number[] = [];
    for (let index = 0; index < LIMIT + 1; index += 1) codes.push(await knock());
    expect(new Set(codes.slice(0, LIMIT))).toEqual(new Set([4401]));
    expect(codes.at(-1)).toBe(1013);
  } finally {
    await server.close(0);
  }
});
