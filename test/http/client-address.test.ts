// On the embedded database: it stores nothing.

import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createClientAddress } from '../../src/http/client-address.ts';
import type { HttpEnv } from '../../src/http/context.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';

/** An app that answers with its caller's address. */
function createApp(trustedProxies: string) {
  const addressOf = createClientAddress(readConfig({ GATEHOUSE_TRUSTED_PROXIES: trustedProxies }).trustedProxies);
  return new Hono<HttpEnv>().get('/', (c) => c.text(addressOf(c) ?? 'unknown'));
}

/** The caller's address according to the app. @param remoteAddress of the socket */
async function addressOf(trusted: string, remoteAddress: string | undefined, forwarded?: string): Promise<string> {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const response = await createApp(trusted).request('/', { headers }, { incoming: { socket: { remoteAddress } } });
  return response.text();
}

const TRUSTED = '10.0.0.0/8,fd00::/8,192.0.2.7/32';
const hops = (count: number, hop: string) => Array.from({ length: count }, () => hop).join(', ');

test.each([
  // Without a trusted proxy, the header is the caller's invention.
  ['nothing is trusted', '', '203.0.113.5', '198.51.100.1', '203.0.113.5'],
  ['the caller is no proxy', TRUSTED, '203.0.113.5', '10.0.0.1', '203.0.113.5'],
  ['the caller claims to be trusted', TRUSTED, '203.0.113.5', '127.0.0.1, 10.0.0.1, 10.0.0.2', '203.0.113.5'],
  ['no header came', TRUSTED, '10.0.0.1', undefined, '10.0.0.1'],
  ['the header is empty', TRUSTED, '10.0.0.1', '', '10.0.0.1'],
  ['one proxy forwards', TRUSTED, '10.0.0.1', '203.0.113.5', '203.0.113.5'],
  ['the caller wrote something before', TRUSTED, '10.0.0.1', '198.51.100.1, 203.0.113.5', '203.0.113.5'],
  ['the caller wrote a trusted one before', TRUSTED, '10.0.0.1', '10.9.9.9, 203.0.113.5, 10.0.0.2', '203.0.113.5'],
  ['several proxies forward', TRUSTED, '10.0.0.1', '203.0.113.5, 192.0.2.7,10.0.0.2', '203.0.113.5'],
  ['all of them are trusted', TRUSTED, '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['a neighbour of the trusted one forwards', TRUSTED, '192.0.2.8', '203.0.113.5', '192.0.2.8'],
  ['the last hop is no address', TRUSTED, '10.0.0.1', '203.0.113.5, unknown', '10.0.0.1'],
  ['the last hop is a name', TRUSTED, '10.0.0.1', 'attacker.example.com', '10.0.0.1'],
  ['the last hop is markup', TRUSTED, '10.0.0.1', '<script>', '10.0.0.1'],
  ['hops have ports', TRUSTED, '10.0.0.1', '203.0.113.5:4711', '203.0.113.5'],
  ['hops have IPv6 and ports', TRUSTED, 'fd00::1', '[2001:DB8::5]:4711', '2001:db8::5'],
  ['hops have IPv6 in brackets', TRUSTED, 'fd00::1', '[2001:db8::5]', '2001:db8::5'],
  ['hops have IPv6', TRUSTED, 'fd00::1', '2001:db8:0:0:0:0:0:5, fd12::2', '2001:db8::5'],
  ['the socket speaks IPv4 in IPv6', TRUSTED, '::ffff:10.0.0.1', '203.0.113.5', '203.0.113.5'],
  ['a hop speaks IPv4 in IPv6', TRUSTED, '10.0.0.1', '203.0.113.5, ::ffff:10.0.0.2', '203.0.113.5'],
  ['the caller sets the header', '', '::ffff:203.0.113.5', '198.51.100.1', '203.0.113.5'],
  ['100 hops are trusted', TRUSTED, '10.0.0.1', `203.0.113.5, ${hops(100, '10.0.0.2')}`, '10.0.0.2'],
  ['100 hops were written before', TRUSTED, '10.0.0.1', `${hops(100, '198.51.100.1')}, 203.0.113.5`, '203.0.113.5'],
])('when %s, the address is the one from a trusted proxy', async (_name, trusted, socket, header, expected) => {
  expect(await addressOf(trusted, socket, header)).toBe(expected);
});

test('without a socket there is no address, whatever the header says', async () => {
  expect(await addressOf(TRUSTED, undefined, '10.0.0.1')).toBe('unknown');
  expect(await (await createApp(TRUSTED).request('/', { headers: { 'x-forwarded-for': '10.0.0.1' } })).text()).toBe(
    'unknown',
  );
});

test('other headers used by proxies are ignored', async () => {
  const headers = { forwarded: 'for=203.0.113.5', 'x-real-ip': '203.0.113.5', 'cf-connecting-ip': '203.0.113.5' };
  const incoming = { socket: { remoteAddress: '10.0.0.1' } };
  expect(await (await createApp(TRUSTED).request('/', { headers }, { incoming })).text()).toBe('10.0.0.1');
});

describe('over a real socket', () => {
  const servers: RunningServer[] = [];
  const open = async (trusted: string) => {
    const server = await listen(createApp(trusted), { host: '127.0.0.1', port: 0 });
    servers.push(server);
    return `http://127.0.0.1:${server.port}/`;
  };
  let plain: string;
  let behindProxy: string;
  beforeAll(async () => {
    plain = await open('');
    behindProxy = await open('127.0.0.1/32');
  });
  afterAll(() => Promise.all(servers.map((server) => server.close(0))));

  const ask = async (url: string, forwarded: string) =>
    (await fetch(url, { headers: { 'x-forwarded-for': forwarded, connection: 'close' } })).text();

  test("uses the socket's own address", async () => {
    expect(await ask(plain, '203.0.113.5')).toBe('127.0.0.1');
  });

  test('uses the address from a trusted proxy', async () => {
    expect(await ask(behindProxy, '198.51.100.1, 203.0.113.5')).toBe('203.0.113.5');
  });
});
