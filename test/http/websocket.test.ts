import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { MAX_SOCKET_OPERATIONS } from '../../src/http/socket-operations.ts';
import { createId } from '../graphql/config-operations.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { closeSocket, openSocket, type RawSocket } from '../setup/socket-client.ts';
import { openSession } from './browser-session.ts';

const EVENTS = 'subscription { mcpServerConfigEvents { type configId cursor config { url } } }';
const VIEWER = '{ viewer { id role } }';

let gateway: TestGateway;
let server: RunningServer;
const sockets: RawSocket[] = [];

beforeAll(async () => {
  gateway = await createTestGateway({ streamLimits: { renewMs: 100, maxStreamsPerUser: 100 } });
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  await Promise.all(sockets.splice(0).map(closeSocket));
});
afterAll(async () => {
  await server?.close(1_000);
  await gateway?.close();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function open(options: Parameters<typeof openSocket>[1] = {}): Promise<RawSocket> {
  const socket = await openSocket(server.port, options);
  sockets.push(socket);
  return socket;
}

/** A connection with an authenticated caller. */
async function openAs(token: string): Promise<RawSocket> {
  const socket = await open();
  expect(await socket.init(bearer(token))).toEqual({ type: 'connection_ack' });
  return socket;
}

async function ask(socket: RawSocket, query: string, variables?: Record<string, unknown>) {
  socket.send({ type: 'subscribe', id: 'q', payload: { query, variables } });
  const answer = await socket.next();
  if (answer?.type === 'next') expect(await socket.next()).toEqual({ type: 'complete', id: 'q' });
  return answer;
}

/** Subscribes; resolves once no change can be missed. */
async function follow(socket: RawSocket, id = 's'): Promise<void> {
  socket.send({ type: 'subscribe', id, payload: { query: EVENTS } });
  expect((await socket.next())?.payload.data.mcpServerConfigEvents.type).toBe('BOOKMARK');
}

const asAdmin = async (query: string) => {
  const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.admin });
  expect(errors).toBeUndefined();
  return data;
};

/** A dedicated user for a test that takes rights away. */
async function createUser(role: string): Promise<{ id: string; token: string; tokenId: string }> {
  const email = `${crypto.randomUUID()}@example.com`;
  const { createUser: user } = await asAdmin(
    `mutation { createUser(input: { email: "${email}", role: ${role} }) { id } }`,
  );
  const made = await asAdmin(
    `mutation { createApiToken(input: { userId: "${user.id}", name: "t" }) { token apiToken { id } } }`,
  );
  return { id: user.id, token: made.createApiToken.token, tokenId: made.createApiToken.apiToken.id };
}

describe('the caller of a connection', () => {
  test('is the user of the token in connection_init', async () => {
    const socket = await openAs(gateway.tokens.member);
    expect((await ask(socket, VIEWER))?.payload).toEqual({
      data: { viewer: { id: gateway.userIds.member, role: 'MEMBER' } },
    });
  });

  test("is the user of the token in the handshake's header", async () => {
    const socket = await open({ headers: bearer(gateway.tokens.auditor) });
    expect(await socket.init()).toEqual({ type: 'connection_ack' });
    expect((await ask(socket, VIEWER))?.payload.data.viewer.role).toBe('AUDITOR');
  });

  test('is the user of a cookie from a page of the gateway', async () => {
    const cookie = await openSession(gateway, gateway.tokens.member);
    const socket = await open({ headers: { cookie, origin: gateway.config.publicUrl } });
    expect(await socket.init()).toEqual({ type: 'connection_ack' });
    expect((await ask(socket, VIEWER))?.payload.data.viewer.id).toBe(gateway.userIds.member);
  });

  test.each(['https://evil.example.com', 'null', 'http://localhost:4001', undefined])(
    'is refused with a cookie on a page of %s',
    async (origin) => {
      const cookie = await openSession(gateway, gateway.tokens.admin);
      const headers = { cookie, ...(origin !== undefined && { origin }) };
      await expect(open({ headers })).rejects.toThrow('403');
    },
  );

  test('is refused with a token that is for tools only, in the handshake or in the first message', async () => {
    const { id } = await createUser('ADMIN');
    const create = `mutation { createApiToken(input: { userId: "${id}", name: "t", scopes: [MCP] }) { token } }`;
    const { token } = (await asAdmin(create)).createApiToken;
    await expect(open({ headers: bearer(token) })).rejects.toThrow('403');
    const socket = await open();
    expect(await socket.init(bearer(token))).toBeUndefined();
    expect(await socket.closed).toMatchObject({ code: 4403 });
  });

  test('may come from anywhere with a token, which no page can make a browser add', async () => {
    const socket = await open({ headers: { origin: 'https://elsewhere.example.com' } });
    expect(await socket.init(bearer(gateway.tokens.member))).toEqual({ type: 'connection_ack' });
  });

  test.each([
    ['nothing', undefined],
    ['a token that is none', { authorization: 'Bearer nonsense' }],
    ['an empty one', { authorization: '' }],
    ['one without its scheme', { authorization: 'gth_abc' }],
    ['something that is no text', { authorization: { token: 'x' } }],
  ])('is refused with %s', async (_what, payload) => {
    const socket = await open();
    expect(await socket.init(payload)).toBeUndefined();
    expect(await socket.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  });

  test('is refused when suspended', async () => {
    const socket = await open();
    expect(await socket.init(bearer(gateway.tokens.suspended))).toBeUndefined();
    expect((await socket.closed).code).toBe(4401);
  });

  test('is refused with an invalid token, even with a valid cookie', async () => {
    const cookie = await openSession(gateway, gateway.tokens.admin);
    const socket = await open({ headers: { cookie, origin: gateway.config.publicUrl } });
    expect(await socket.init({ authorization: 'Bearer nonsense' })).toBeUndefined();
    expect((await socket.closed).code).toBe(4401);
  });

  test('is refused at the handshake with an invalid header', async () => {
    await expect(open({ headers: bearer('nonsense') })).rejects.toThrow('401');
  });

  test('is in the audit log when refused', async () => {
    // Longer than repeats are counted instead of recorded.
    gateway.clock.advance(3_600_000);
    const socket = await open();
    await socket.init({ authorization: 'Bearer nonsense' });
    await socket.closed;
    const { auditLog } = await asAdmin('{ auditLog(first: 1) { nodes { action outcome address targetLabel } } }');
    expect(auditLog.nodes).toEqual([
      { action: 'ACCESS_DENIED', outcome: 'DENIED', address: '127.0.0.1', targetLabel: 'WebSocket /graphql' },
    ]);
  });

  test('can run nothing before connection_init', async () => {
    const socket = await open();
    socket.send({ type: 'subscribe', id: 'q', payload: { query: VIEWER } });
    expect(await socket.next()).toBeUndefined();
    expect((await socket.closed).code).toBe(4401);
  });

  test('must authenticate once', async () => {
    const socket = await openAs(gateway.tokens.member);
    socket.send({ type: 'connection_init' });
    expect((await socket.closed).code).toBe(4429);
  });
});

describe('an operation', () => {
  test('can be a query, mutation or subscription over one connection', async () => {
    const socket = await openAs(gateway.tokens.admin);
    await follow(socket);
    const input = { displayName: 'W', slug: 'over-websocket', url: 'https://w.example.com/mcp' };
    const mutation = `mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }`;
    socket.send({ type: 'subscribe', id: 'm', payload: { query: mutation, variables: { input } } });
    const messages = [await socket.next(), await socket.next(), await socket.next()];
    const of = (id: string) => messages.filter((message) => message?.id === id).map((message) => message?.type);
    expect(of('m')).toEqual(['next', 'complete']);
    const id = messages.find((message) => message?.id === 'm')?.payload.data.createMcpServerConfig.id;
    const event = messages.find((message) => message?.id === 's')?.payload.data.mcpServerConfigEvents;
    expect(event).toMatchObject({ type: 'ADDED', configId: id, config: { url: input.url } });
    socket.send({ type: 'complete', id: 's' });
    // Once this is answered, the completion was received: later changes are not sent any more.
    await ask(socket, VIEWER);
    await asAdmin(`mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`);
    expect((await ask(socket, VIEWER))?.id).toBe('q');
  });

  test.each([
    ['a syntax error', '{ viewer {', 'VALIDATION_FAILED'],
    ['a field that is not there', '{ secrets }', 'VALIDATION_FAILED'],
    ['two operations and no name', 'query A { viewer { id } } query B { viewer { id } }', 'VALIDATION_FAILED'],
    ['a document that is too deep', `{${'viewer{'.repeat(20)}id${'}'.repeat(20)}}`, 'VALIDATION_FAILED'],
  ])('with %s gets the error', async (_what, query, code) => {
    const socket = await openAs(gateway.tokens.member);
    const answer = await ask(socket, query);
    expect(answer?.type).toBe('error');
    expect(answer?.payload[0].extensions.code).toBe(code);
    expect(JSON.stringify(answer)).not.toContain('"http"');
  });

  test('with variables of a wrong type reports which', async () => {
    const socket = await openAs(gateway.tokens.member);
    const answer = await ask(socket, 'query ($id: UUID!) { chat(id: $id) { id } }', { id: 'canary-7' });
    expect(answer?.payload.errors[0].extensions).toEqual({
      code: 'VALIDATION_FAILED',
      issues: [expect.objectContaining({ path: ['id'] })],
    });
    expect(JSON.stringify(answer)).not.toContain('canary-7');
  });

  test('that the role does not allow is refused and recorded', async () => {
    const socket = await openAs(gateway.tokens.member);
    const answer = await ask(socket, '{ encryptionKeys { number } }');
    expect(answer?.payload.errors[0].extensions.code).toBe('FORBIDDEN');
    const { auditLog } = await asAdmin('{ auditLog(first: 1) { nodes { actorId address targetLabel } } }');
    expect(auditLog.nodes).toEqual([
      { actorId: gateway.userIds.member, address: '127.0.0.1', targetLabel: 'query encryptionKeys' },
    ]);
  });

  test('that subscribes with an invalid cursor ends with the reason', async () => {
    const socket = await openAs(gateway.tokens.member);
    const answer = await ask(socket, 'subscription { mcpServerConfigEvents(after: "x") { type } }');
    expect(answer?.payload.errors[0].extensions.code).toBe('CURSOR_INVALID');
  });

  test(`is one of at most ${MAX_SOCKET_OPERATIONS} at the same time`, async () => {
    const socket = await openAs(gateway.tokens.member);
    for (let index = 0; index < MAX_SOCKET_OPERATIONS; index += 1) await follow(socket, `s${index}`);
    const answer = await ask(socket, VIEWER);
    expect([answer?.type, answer?.payload[0].extensions.code]).toEqual(['error', 'RATE_LIMITED']);
    socket.send({ type: 'complete', id: 's0' });
    await expect.poll(async () => (await ask(socket, VIEWER))?.type).toBe('next');
  });
});

describe('rights taken from a user', () => {
  test('are gone with the next event and the next operation', async () => {
    const user = await createUser('ADMIN');
    const socket = await openAs(user.token);
    await follow(socket);
    const id = await createId(gateway, { enabled: true });
    expect((await socket.next())?.payload.data.mcpServerConfigEvents.config.url).toEqual(expect.any(String));
    await asAdmin(`mutation { updateUser(id: "${user.id}", patch: { role: MEMBER }) { id } }`);
    await asAdmin(`mutation { updateMcpServerConfig(id: "${id}", patch: { description: "x" }) { id } }`);
    expect((await socket.next())?.payload.data.mcpServerConfigEvents.config).toEqual({ url: null });
    expect((await ask(socket, VIEWER))?.payload.data.viewer.role).toBe('MEMBER');
  });

  test.each([
    ['suspended', ({ id }: { id: string }) => `updateUser(id: "${id}", patch: { status: SUSPENDED }) { id }`],
    ['deleted', ({ id }: { id: string }) => `deleteUser(id: "${id}") { deletedId }`],
    [
      'left without their token',
      ({ tokenId }: { tokenId: string }) => `revokeApiToken(id: "${tokenId}") { apiToken { id } }`,
    ],
  ])('of a user who is %s end their streams and connection', async (_what, mutation) => {
    const user = await createUser('MEMBER');
    const socket = await openAs(user.token);
    await follow(socket);
    await asAdmin(`mutation { ${mutation(user)} }`);
    expect((await socket.next())?.payload.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect((await socket.closed).code).toBe(4401);
  });

  test('by signing out end their streams and connection', async () => {
    const cookie = await openSession(gateway, gateway.tokens.member);
    const headers = { cookie, origin: gateway.config.publicUrl };
    const socket = await open({ headers });
    await socket.init();
    await follow(socket);
    await gateway.fetch('/auth/session', { method: 'DELETE', headers });
    expect((await socket.next())?.payload.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect((await socket.closed).code).toBe(4401);
  });

  test('are gone for an idle connection too', async () => {
    const user = await createUser('MEMBER');
    const socket = await openAs(user.token);
    await asAdmin(`mutation { updateUser(id: "${user.id}", patch: { status: SUSPENDED }) { id } }`);
    socket.send({ type: 'subscribe', id: 'q', payload: { query: VIEWER } });
    expect(await socket.next()).toBeUndefined();
    expect((await socket.closed).code).toBe(4401);
  });
});

describe('a connection', () => {
  test('supports only graphql-transport-ws', async () => {
    const socket = await open({ protocols: ['graphql-ws'] }).catch((error: Error) => error);
    // ws clients give up by themselves if none of their protocols is accepted.
    if (socket instanceof Error) expect(socket.message).toContain('subprotocol');
    else expect((await socket.closed).code).toBe(4406);
  });

  test.each([
    ['too large', 'x'.repeat(300_000), 1009],
    ['no JSON', '{', 4400],
    ['of no known type', '{"type":"connect"}', 4400],
    ['binary', Buffer.from([1, 2, 3]), 4400],
  ])('with a message that is %s is closed', async (_what, message, code) => {
    const socket = await openAs(gateway.tokens.member);
    socket.send(message);
    expect((await socket.closed).code).toBe(code);
  });

  test('is available only at /graphql', async () => {
    await expect(open({ path: '/nowhere', headers: bearer(gateway.tokens.admin) })).rejects.toThrow('404');
    await expect(open({ path: '/', headers: bearer(gateway.tokens.admin) })).rejects.toThrow('200');
    await expect(
      open({ path: '/api/experimental/mcp/servers', headers: bearer(gateway.tokens.admin) }),
    ).rejects.toThrow(/4\d\d|200/);
  });

  test('is refused beyond the limit per user, and closing one makes room', async () => {
    const user = await createUser('MEMBER');
    const mine = await Promise.all(Array.from({ length: 100 }, () => openAs(user.token)));
    const refused = await open();
    expect(await refused.init(bearer(user.token))).toBeUndefined();
    expect((await refused.closed).code).toBe(1013);
    const [first] = mine;
    if (first !== undefined) await closeSocket(first);
    await expect.poll(async () => (await (await open()).init(bearer(user.token)))?.type).toBe('connection_ack');
  });

  test('ends when the gateway stops, so that its client reconnects elsewhere', async () => {
    const stopping = await createTestGateway();
    const other = await listen(stopping.app, { host: '127.0.0.1', port: 0 });
    const socket = await openSocket(other.port);
    await socket.init(bearer(stopping.tokens.member));
    await follow(socket);
    stopping.endStreams();
    expect((await socket.closed).code).toBe(1001);
    await expect(openSocket(other.port)).rejects.toThrow('429');
    await other.close(1_000);
    await stopping.close();
  });
});
