import type { Tool } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toRequest } from '../../bench/mcp-load.ts';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

// Plain answers of doors are sent as they are, without a stream. From outside, they are answers as all others.

const TOOLS: Tool[] = Array.from({ length: 20 }, (_, index) => ({
  name: `tool_${index}`,
  description: 'Says in some words what it does: ä\u2028.',
  inputSchema: { type: 'object' },
}));

let world: DoorWorld;
let upstream: SmallMcpServer;

beforeAll(async () => {
  upstream = await startModernServer({ listTools: () => TOOLS });
  world = await openDoorWorld();
  await world.define({ slug: 'some', url: upstream.url });
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

async function ask(method: string, id: unknown, more: Record<string, string>) {
  const params = method === 'tools/list' ? {} : { name: 'some__tool_0', arguments: {} };
  const { headers, body } = toRequest(method, params);
  const message = { ...(JSON.parse(body) as object), id };
  const response = await world.post('/mcp', message, {
    token: world.gateway.tokens.member,
    headers: { ...headers, ...more },
  });
  return { response, text: await response.text() };
}

test.each(['tools/list', 'tools/call'])('%s has the same answer in each coding, but for the id', async (method) => {
  const isLong = method === 'tools/list';
  const ids = [1, 'two', 3, '\u{1f600}"', 5, 6];
  const codings = ['identity', 'gzip', 'br', 'gzip, br', 'identity', 'gzip'];
  const seen = new Set<string>();
  const requests = new Set<string | null>();
  for (const [index, id] of ids.entries()) {
    const asked = codings[index] ?? '';
    const { response, text } = await ask(method, id, { 'accept-encoding': asked });
    const { headers } = response;
    const coding = isLong && asked !== 'identity' ? asked.replace('gzip, ', '') : null;
    expect(headers.get('content-encoding')).toBe(coding);
    expect(headers.get('vary')).toContain('Accept-Encoding');
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('ratelimit-policy')).toContain('"operations"');
    if (coding === null) expect(headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
    requests.add(headers.get('x-request-id'));
    const { id: answered, ...rest } = JSON.parse(text) as { id: unknown };
    expect(answered).toBe(id);
    seen.add(JSON.stringify(rest));
  }
  expect(seen.size).toBe(1);
  expect(requests.size).toBe(ids.length);
  expect([...seen][0]).toContain(isLong ? 'some__tool_19' : '"content"');
});
