import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import type { UpstreamTarget } from '../../src/mcp/upstream-target.ts';
import { createUpstreams, type Upstreams } from '../../src/mcp/upstreams.ts';
import { CERTIFICATES } from '../setup/certificates.ts';
import { type EverythingServer, startEverythingServer } from '../setup/everything-server.ts';
import { startHostileUpstream } from '../setup/hostile-upstream.ts';
import { ECHO, type SmallMcpServer, startModernServer, startSessionServer } from '../setup/mcp-servers.ts';

let everything: EverythingServer;
let everythingSse: EverythingServer;
let modern: SmallMcpServer;
let modernOnly: SmallMcpServer;
let old: SmallMcpServer;
let upstreams: Upstreams;

beforeAll(async () => {
  [everything, everythingSse, modern, modernOnly, old] = await Promise.all([
    startEverythingServer('streamable_http'),
    startEverythingServer('sse'),
    startModernServer(),
    startModernServer({ legacy: 'reject' }),
    startSessionServer(),
  ]);
  const servers = [everything, everythingSse, modern, modernOnly, old];
  upstreams = createUpstreams({
    ranges: servers.map(({ port }) => ({ kind: 'host', host: '127.0.0.1', port })),
    identity: { name: 'gatehouse', version: '0.0.0' },
    listTimeoutMs: 100_000,
  });
});

afterAll(async () => {
  await upstreams?.dispose();
  await Promise.all([everything, everythingSse, modern, modernOnly, old].map((server) => server?.close()));
});

function toTarget(
  url: string,
  change: Partial<UpstreamTarget> & { token?: string; grant?: string } = {},
): UpstreamTarget {
  const { token, grant = '', ...rest } = change;
  const headers = token === undefined ? [] : [{ name: 'Authorization', value: new Secret(`Bearer ${token}`) }];
  return {
    configId: url,
    version: 1,
    owner: 'shared',
    url,
    transport: 'streamable_http',
    authorize: async () => ({ headers, grant }),
    ...rest,
  };
}

const textOf = ({ result }: { result: Readonly<Record<string, unknown>> }): unknown =>
  (result['content'] as { text?: string }[])[0]?.text;

describe('a real server', () => {
  test.each([
    ['over Streamable HTTP', () => toTarget(everything.url)],
    ['over the transport of 2024', () => toTarget(everythingSse.url, { transport: 'sse' })],
  ])('is listed and called %s', async (_name, makeTarget) => {
    const target = makeTarget();
    const { tools, skipped, isCut, server } = await upstreams.listTools(target);
    expect(tools.map(({ name }) => name)).toContain('echo');
    expect({ skipped, isCut }).toEqual({ skipped: [], isCut: false });
    expect(server).toMatchObject({ name: 'mcp-servers/everything', protocolVersion: '2025-11-25' });
    const called = await upstreams.callTool(target, 'echo', { message: 'hi' });
    expect(textOf(called)).toBe('Echo: hi');
    expect(called.bytes).toBeGreaterThan(10);
  });

  test('reports progress, and learns that a call is cancelled', async () => {
    const controller = new AbortController();
    const steps: number[] = [];
    const call = upstreams.callTool(
      toTarget(everything.url),
      'trigger-long-running-operation',
      { duration: 600, steps: 6_000 },
      {
        signal: controller.signal,
        onProgress: ({ progress }) => {
          steps.push(progress);
          controller.abort();
        },
      },
    );
    await expect(call).rejects.toMatchObject({ problem: 'CANCELLED' });
    expect(steps).not.toEqual([]);
  });
});

describe('a server of revision 2026-07-28', () => {
  test('is listed with everything it says, and its definitions pass through untouched', async () => {
    const listed = await upstreams.listTools(toTarget(modernOnly.url));
    expect(listed).toMatchObject({
      ttlMs: 5_000,
      cacheScope: 'private',
      server: { protocolVersion: '2026-07-28', name: 'modern', version: '2', instructions: 'Be kind.' },
    });
    expect(listed.tools[0]).toEqual({ name: 'echo', definition: ECHO });
  });

  test('is asked for its revision once, not for each user', async () => {
    const one = { configId: 'revision', url: modern.url };
    const count = () => modern.seen.filter(({ method }) => method === 'server/discover').length;
    await upstreams.callTool(toTarget(modern.url, { ...one, owner: 'user-1', token: 'one' }), 'who', {});
    const before = count();
    const called = await upstreams.callTool(toTarget(modern.url, { ...one, owner: 'user-2', token: 'two' }), 'who', {});
    expect(textOf(called)).toBe('Bearer two');
    expect(count()).toBe(before);
    await upstreams.callTool(toTarget(modern.url, { ...one, version: 2 }), 'who', {});
    expect(count()).toBe(before + 1);
  });

  test('gets the method and the name of a call as headers', async () => {
    await upstreams.callTool(toTarget(modernOnly.url), 'echo', { text: 'hi' });
    expect(modernOnly.seen.at(-1)?.headers).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      'mcp-protocol-version': '2026-07-28',
    });
  });
});

describe('a server with sessions', () => {
  const initializations = () => old.seen.filter(({ method }) => method === 'initialize').length;

  test('has one session for a key, and a new one when it forgot the old one', async () => {
    const target = toTarget(old.url, { configId: 'forgetful' });
    await upstreams.callTool(target, 'who', {});
    const before = initializations();
    await Promise.all([1, 2, 3].map(() => upstreams.callTool(target, 'who', {})));
    expect(initializations()).toBe(before);
    old.sessions.clear();
    expect(textOf(await upstreams.callTool(target, 'who', {}))).toBe('nobody');
    expect(initializations()).toBe(before + 1);
  });

  test('gets a new session after so many operations, and those that run end in the old one', async () => {
    const own = createUpstreams({
      ranges: [{ kind: 'host', host: '127.0.0.1', port: old.port }],
      identity: { name: 'gatehouse', version: '0.0.0' },
      renewAfterUses: 3,
    });
    try {
      const target = toTarget(old.url, { configId: 'busy' });
      const before = initializations();
      for (let made = 0; made < 3; made += 1) await own.callTool(target, 'who', {});
      expect(initializations()).toBe(before + 1);
      const together = await Promise.all(Array.from({ length: 7 }, () => own.callTool(target, 'who', {})));
      expect(together.map(textOf)).toEqual(Array.from({ length: 7 }, () => 'nobody'));
      expect(initializations()).toBe(before + 4);
    } finally {
      await own.dispose();
    }
  });

  test('never serves a user with the session of another, of an earlier grant, or of an earlier version', async () => {
    const who = async (change: Parameters<typeof toTarget>[1]) =>
      textOf(await upstreams.callTool(toTarget(old.url, { configId: 'personal', ...change }), 'who', {}));
    expect(await who({ owner: 'user-1', token: 'one', grant: 'g1' })).toBe('Bearer one');
    expect(await who({ owner: 'user-2', token: 'two', grant: 'g2' })).toBe('Bearer two');
    expect(await who({ owner: 'user-1', token: 'again', grant: 'g1' })).toBe('Bearer one');
    expect(await who({ owner: 'user-3', token: 'three', grant: 'g1' })).toBe('Bearer three');
    // Two servers at one address.
    expect(await who({ configId: 'twin', owner: 'user-1', token: 'twin', grant: 'g1' })).toBe('Bearer twin');
    // The user disconnected, and connected as somebody else.
    expect(await who({ owner: 'user-1', token: 'other', grant: 'g3' })).toBe('Bearer other');
    expect(await who({ owner: 'user-2', token: 'moved', grant: 'g2', version: 2 })).toBe('Bearer moved');
  });

  test('loses the session and the running calls when it is closed', async () => {
    const target = toTarget(everything.url, { configId: 'closing', owner: 'user-1' });
    const other = toTarget(old.url, { configId: 'closing-not', owner: 'user-1' });
    await upstreams.callTool(other, 'who', {});
    const before = initializations();
    let onStart: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      onStart = resolve;
    });
    const running = upstreams.callTool(
      target,
      'trigger-long-running-operation',
      { duration: 600, steps: 6_000 },
      { onProgress: () => onStart() },
    );
    const ended = expect(running).rejects.toMatchObject({ problem: 'CLOSED' });
    await started;
    await upstreams.close({ configId: 'closing', owner: 'user-2' });
    await upstreams.close({ configId: 'closing', beforeVersion: 1 });
    await upstreams.close({ configId: 'closing', exceptGrant: '' });
    await upstreams.close({ configId: 'closing' });
    await ended;
    await upstreams.callTool(other, 'who', {});
    expect(initializations()).toBe(before);
  });
});

test('headers arrive exactly as they are set, and protocol headers are not overwritten', async () => {
  const headers = [
    { name: 'X-API-Key', value: new Secret('k=1; "q" ') },
    { name: 'Mcp-Session-Id', value: new Secret('stolen') },
    { name: 'Content-Type', value: new Secret('text/plain') },
  ];
  const target = {
    ...toTarget(modernOnly.url, { configId: 'headers' }),
    authorize: async () => ({ headers, grant: '' }),
  };
  await upstreams.callTool(target, 'echo', {});
  const { rawHeaders = [], headers: seen = {} } = modernOnly.seen.at(-1) ?? {};
  expect(rawHeaders[rawHeaders.indexOf('X-API-Key') + 1]).toBe('k=1; "q"');
  expect(seen['mcp-session-id']).toBeUndefined();
  expect(seen['content-type']).toBe('application/json');
  expect(seen['user-agent']).toBe('gatehouse/0.0.0');
});

test('a server with a certificate of an authority that nobody trusts is not called', async () => {
  const untrusted = await startHostileUpstream(CERTIFICATES.localhost);
  untrusted.onMethod('/mcp', {});
  const own = createUpstreams({
    ranges: [{ kind: 'host', host: 'localhost', port: untrusted.port }],
    identity: { name: 'gatehouse', version: '0.0.0' },
    lookup: async () => ['127.0.0.1'],
  });
  try {
    await expect(own.listTools(toTarget(untrusted.urlOf('/mcp')))).rejects.toMatchObject({ problem: 'TLS_FAILED' });
    expect(untrusted.seen('/mcp')).toEqual([]);
  } finally {
    await own.dispose();
    await untrusted.close();
  }
});

test('nothing stays open at the end', async () => {
  const server = await startSessionServer();
  const own = createUpstreams({
    ranges: [{ kind: 'host', host: '127.0.0.1', port: server.port }],
    identity: { name: 'gatehouse', version: '0.0.0' },
  });
  await own.listTools(toTarget(server.url));
  expect(await server.connections()).toBeGreaterThan(0);
  await own.dispose();
  await expect.poll(() => server.connections()).toBe(0);
  expect(own.count()).toEqual({ open: 0, idle: 0 });
  await server.close();
});
