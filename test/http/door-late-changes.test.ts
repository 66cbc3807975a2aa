import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { createId, update } from '../graphql/config-operations.ts';
import { insertUserToken } from '../graphql/user-tokens.ts';
import { onServer } from '../setup/database.ts';
import { type HostileUpstream, type RpcRequest, startHostileUpstream } from '../setup/hostile-upstream.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { callMessage, readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld, refresh } from './door-world.ts';

let world: DoorWorld;
let upstream: HostileUpstream;
const databases: Database[] = [];
let serverUrl: string | undefined;
const HOUR_MS = 3_600_000;
/** The time of the gateway's clock, unless a case moves it. */
let startedAt: Date;

const openDatabase = async (): Promise<Database> => {
  const database = await openServerDatabase(serverUrl ?? '');
  databases.push(database);
  return database;
};

beforeAll(async () => {
  upstream = await startHostileUpstream();
  if (onServer) serverUrl = await createServerDatabase();
  world = await openDoorWorld(onServer ? { database: await openDatabase() } : {});
  startedAt = world.gateway.clock.now;
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
  for (const database of databases) await database.close();
});

/** What a test holds back. */
interface Held {
  /** Resolves when the request has come. */
  readonly came: Promise<ServerResponse>;
  /** Lets it be answered. */
  release(): void;
}

/** Makes a server at the path hold its answers to a method back, once `hold` is called. */
function defineUpstream(path: string, heldMethod: string): () => Held {
  let onCame: ((response: ServerResponse) => void) | undefined;
  let released: Promise<void> = Promise.resolve();
  const result = (request: RpcRequest) =>
    heldMethod === 'initialize'
      ? {
          protocolVersion: request.params['protocolVersion'],
          capabilities: { tools: {} },
          serverInfo: { name: 'held', version: '1' },
        }
      : { content: [{ type: 'text', text: 'done' }] };
  upstream.onMethod(path, {
    async [heldMethod](request, response) {
      onCame?.(response);
      await released;
      return response.destroyed ? undefined : result(request);
    },
  });
  return () => {
    let release: () => void = () => undefined;
    released = new Promise((resolve) => {
      release = resolve;
    });
    const came = new Promise<ServerResponse>((resolve) => {
      onCame = resolve;
    });
    return { came, release: () => release() };
  };
}

const callsOf = (path: string): number => upstream.seen(path).filter((method) => method === 'tools/call').length;

const OAUTH = {
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
};

async function createChat(mcpServerIds: readonly string[]): Promise<string> {
  const { data } = await world.gateway.graphql(
    'mutation ($input: CreateChatInput!) { createChat(input: $input) { id } }',
    { token: world.gateway.tokens.member, variables: { input: { title: 'Late', mcpServerIds } } },
  );
  return data.createChat.id;
}

async function mutate(mutation: string, token = world.gateway.tokens.admin): Promise<any> {
  const { data, errors } = await world.gateway.graphql(`mutation { ${mutation} }`, { token });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

/** A caller of its own: what happens to its token or user hurts no other test. */
async function createCaller(role: 'SERVICE' | 'MEMBER'): Promise<{ userId: string; tokenId: string; token: string }> {
  const email = `late-${crypto.randomUUID()}@example.com`;
  const { createUser } = await mutate(`createUser(input: { email: "${email}", role: ${role} }) { id }`);
  const expiresAt = new Date(world.gateway.clock.now.getTime() + HOUR_MS).toISOString();
  const { createApiToken } = await mutate(
    `createApiToken(input: { userId: "${createUser.id}", name: "late", expiresAt: "${expiresAt}" }) { token apiToken { id } }`,
  );
  return { userId: createUser.id, tokenId: createApiToken.apiToken.id, token: createApiToken.token };
}

interface Case {
  config?: object;
  /** Where the tool is called. Default: without a chat. */
  inChat?: true;
  caller?: 'SERVICE' | 'MEMBER';
  change: (facts: { id: string; chatId: string; userId: string; tokenId: string }) => Promise<unknown>;
  code: string;
}

const CASES: Readonly<Record<string, Case>> = {
  'the server is switched off': { change: ({ id }) => update(world.gateway, id, { enabled: false }), code: 'DISABLED' },
  'the server is deleted': {
    change: ({ id }) => mutate(`deleteMcpServerConfig(id: "${id}") { __typename }`),
    code: 'NOT_FOUND',
  },
  'the server is no longer on by default': {
    change: ({ id }) => update(world.gateway, id, { availability: 'DEFAULT_OFF' }),
    code: 'NOT_FOUND',
  },
  'the tool is denied': {
    change: ({ id }) => update(world.gateway, id, { toolDenyList: ['fine'] }),
    code: 'DENIED',
  },
  'the tool is left off a new allow list': {
    change: ({ id }) => update(world.gateway, id, { toolAllowList: ['other'] }),
    code: 'NOT_ALLOWED',
  },
  'tools get pinned': { change: ({ id }) => update(world.gateway, id, { toolApproval: 'PIN' }), code: 'PENDING' },
  'a pinned tool changes': {
    config: { toolApproval: 'PIN' },
    change: ({ id }) =>
      world.gateway.database.query(
        "UPDATE mcp_server_tools SET digest = repeat('0', 64) WHERE mcp_server_config_id = $1::uuid",
        [id],
      ),
    code: 'PENDING',
  },
  'the server is taken out of the chat': {
    config: { availability: 'DEFAULT_OFF' },
    inChat: true,
    change: ({ chatId }) =>
      mutate(
        `createChatMessage(input: { chatId: "${chatId}", content: "no", mcpServerIds: [] }) { id }`,
        world.gateway.tokens.member,
      ),
    code: 'NOT_FOUND',
  },
  'the user disconnects': {
    config: OAUTH,
    change: ({ id }) => mutate(`disconnectMcpServer(id: "${id}") { __typename }`, world.gateway.tokens.member),
    code: 'NEEDS_CONNECT',
  },
  "the caller's token expires": {
    caller: 'SERVICE',
    change: async () => {
      world.gateway.clock.advance(2 * HOUR_MS);
    },
    code: 'UNAUTHENTICATED',
  },
  "the caller's token is revoked": {
    caller: 'SERVICE',
    change: ({ tokenId }) => mutate(`revokeApiToken(id: "${tokenId}") { __typename }`),
    code: 'UNAUTHENTICATED',
  },
  'the caller is suspended': {
    caller: 'MEMBER',
    change: ({ userId }) => mutate(`updateUser(id: "${userId}", patch: { status: SUSPENDED }) { id }`),
    code: 'UNAUTHENTICATED',
  },
  'the caller is a service no more': {
    caller: 'SERVICE',
    change: ({ userId }) => mutate(`updateUser(id: "${userId}", patch: { role: MEMBER }) { id }`),
    code: 'FORBIDDEN',
  },
};

/** Defines a server for a case, and calls it. @returns the call, which the server has got, and is to be held there */
async function startCase(name: string, heldMethod: string) {
  const { config = {}, inChat, caller } = CASES[name] as Case;
  const { gateway } = world;
  const path = `/${heldMethod}/${encodeURIComponent(name)}`;
  const hold = defineUpstream(path, heldMethod);
  const slug = `late-${crypto.randomUUID()}`;
  const fields = { slug, url: upstream.urlOf(path), enabled: true, availability: 'FORCE_ON', ...config };
  const id = await createId(gateway, fields);
  const isPersonal = 'authType' in config;
  for (const userId of isPersonal ? [gateway.userIds.admin, gateway.userIds.member] : []) {
    await insertUserToken(gateway, { configId: id, userId, url: fields.url });
  }
  await refresh(gateway, id);
  // Of another version, so that the call needs a new connection.
  await update(gateway, id, { description: 'Changed.' });
  const chatId = inChat === undefined ? '' : await createChat([id]);
  const own = caller === undefined ? undefined : await createCaller(caller);
  const door = inChat === undefined ? '/mcp' : `/mcp/chats/${chatId}`;
  const query = caller === 'SERVICE' ? `?user=${gateway.userIds.member}` : '';
  const held = hold();
  const answer = world.post(`${door}${query}`, callMessage(`${slug}__fine`), {
    token: own?.token ?? gateway.tokens.member,
  });
  const response = await held.came;
  return { path, held, response, answer, facts: { id, chatId, userId: '', tokenId: '', ...own } };
}

describe('a call that was allowed when it came is not sent, if meanwhile', () => {
  afterEach(() => {
    world.gateway.clock.now = startedAt;
  });

  test.each(Object.keys(CASES))('%s', async (name) => {
    const { change, code } = CASES[name] as Case;
    const { path, held, answer, facts } = await startCase(name, 'initialize');
    const { errors } = ((await change(facts)) ?? {}) as { errors?: unknown };
    expect(errors).toBeUndefined();
    held.release();
    const result = await readResult(await answer);
    expect([result.isError, result._meta['gatehouse/code'], callsOf(path)]).toEqual([true, code, 0]);
  });

  test('nothing: then it is sent', async () => {
    const { gateway } = world;
    const hold = defineUpstream('/unchanged', 'initialize');
    const id = await world.define({ slug: 'unchanged', url: upstream.urlOf('/unchanged') });
    await update(gateway, id, { description: 'Changed.' });
    const held = hold();
    const answer = world.post('/mcp', callMessage('unchanged__fine'), { token: gateway.tokens.member });
    await held.came;
    held.release();
    expect((await readResult(await answer)).content).toEqual([{ type: 'text', text: 'fine' }]);
    expect(callsOf('/unchanged')).toBe(1);
  });
});

describe('a running call is cancelled at the server, and its caller hears why, if meanwhile', () => {
  afterEach(() => {
    world.gateway.clock.now = startedAt;
  });

  const isCancelled = async (name: string): Promise<void> => {
    const { change, code } = CASES[name] as Case;
    const { path, held, response, answer, facts } = await startCase(name, 'tools/call');
    const closed = new Promise((resolve) => response.once('close', resolve));
    await change(facts);
    const result = await readResult(await answer);
    await closed;
    expect([result.isError, result._meta['gatehouse/code'], callsOf(path)]).toEqual([true, code, 1]);
    held.release();
  };
  // Some are noticed only after a moment, in which the others run. One moves the clock, which they share.
  const MOVING_CASES = ["the caller's token expires"];
  test.each(MOVING_CASES)('%s', isCancelled);
  test.concurrent.each(Object.keys(CASES).filter((name) => !MOVING_CASES.includes(name)))('%s', isCancelled);

  test('nothing that concerns it: another tool, server, user, token or chat', async () => {
    const { gateway } = world;
    const { held, answer, facts } = await startCase('the server is taken out of the chat', 'tools/call');
    const others = await createCaller('MEMBER');
    const otherId = await createId(gateway, { slug: 'bystander', url: upstream.urlOf('/bystander'), enabled: true });
    await update(gateway, facts.id, { toolDenyList: ['other'], displayName: 'Renamed' });
    await update(gateway, otherId, { enabled: false });
    await mutate(`revokeApiToken(id: "${others.tokenId}") { __typename }`);
    await mutate(`updateUser(id: "${others.userId}", patch: { status: SUSPENDED }) { id }`);
    held.release();
    expect((await readResult(await answer)).content).toEqual([{ type: 'text', text: 'done' }]);
  });
});

// Only one process can open the embedded database.
describe.runIf(onServer)('the kill switch, thrown at one replica while calls go through another', () => {
  let other: Replica;

  beforeAll(async () => {
    other = await createReplica(world.gateway, await openDatabase());
  });
  afterAll(() => other?.close());

  const callThere = async (name: string): Promise<any> => {
    const request = new Request(`${world.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${world.gateway.tokens.member}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(callMessage(name)),
    });
    return readResult(await other.gateway.app.fetch(request));
  };
  const isOffThere = async (id: string): Promise<boolean> => {
    const { data } = await other.graphql(`{ mcpServerConfig(id: "${id}") { enabled } }`, world.gateway.tokens.admin);
    return data.mcpServerConfig.enabled === false;
  };

  test('cancels the running calls, and the next ones find no tool', async () => {
    const hold = defineUpstream('/running', 'tools/call');
    const id = await world.define({ slug: 'running', url: upstream.urlOf('/running') });
    const held = hold();
    const answer = callThere('running__fine');
    const response = await held.came;
    const cancelled = new Promise((resolve) => response.once('close', resolve));
    await update(world.gateway, id, { enabled: false });
    await cancelled;
    expect(await answer).toMatchObject({ isError: true, _meta: { 'gatehouse/code': 'DISABLED' } });
    held.release();
    expect(await callThere('running__fine')).toMatchObject({ _meta: { 'gatehouse/code': 'NOT_FOUND' } });
    expect(callsOf('/running')).toBe(1);
  });

  test('lets no call reach the server once the other replica knows', async () => {
    defineUpstream('/busy', 'tools/call');
    const id = await world.define({ slug: 'busy', url: upstream.urlOf('/busy') });
    const codes = new Set<string>();
    const callUntilRefused = async (): Promise<void> => {
      for (;;) {
        const result = await callThere('busy__fine');
        if (result.isError === true) return void codes.add(result._meta['gatehouse/code']);
      }
    };
    const callers = Array.from({ length: 6 }, callUntilRefused);
    await expect.poll(() => callsOf('/busy')).toBeGreaterThan(50);
    await update(world.gateway, id, { enabled: false });
    await expect.poll(() => isOffThere(id)).toBe(true);
    await Promise.all(callers);
    expect([...codes].filter((code) => code !== 'DISABLED' && code !== 'NOT_FOUND')).toEqual([]);
    const before = callsOf('/busy');
    const late = await Promise.all(Array.from({ length: 20 }, () => callThere('busy__fine')));
    expect(late.every((result) => result._meta['gatehouse/code'] === 'NOT_FOUND')).toBe(true);
    expect(callsOf('/busy')).toBe(before);
  });
});
