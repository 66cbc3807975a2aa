import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Place } from '../setup/hostile-provider.ts';
import { CLIENT } from '../setup/hostile-provider.ts';
import { type FieldWorld, openFieldWorld } from './connection-world.ts';

let world: FieldWorld;
beforeAll(async () => {
  world = await openFieldWorld();
});
afterAll(() => world?.close());
beforeEach(() => world.provider.reset());

const DISCOVERED = {
  oauth2_client_id: '',
  oauth2_client_secret: undefined,
  oauth2_auth_url: '',
  oauth2_token_url: '',
  oauth2_revocation_url: '',
};

async function disconnect(configId: string): Promise<void> {
  const query = `mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked } }`;
  const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.member });
  expect(data.disconnectMcpServer.tokenRevoked).toBe(true);
}

// modelcontextprotocol/python-sdk#3531: firewalls in front of servers answer 403 to requests without a User-Agent.
describe('a request without the name of its sender is refused by firewalls, so every one has it', () => {
  test.each<[string, Record<string, unknown>, Place[]]>([
    [
      'from discovery to revocation',
      DISCOVERED,
      ['mcp', 'resource', 'metadata', 'registration', 'token', 'revocation'],
    ],
    ['with the settings of an admin', { oauth2_issuer: 'of the provider' }, ['metadata', 'token', 'revocation']],
  ])('%s', async (_what, fields, places) => {
    const { provider } = world;
    if ('oauth2_issuer' in fields) fields['oauth2_issuer'] = provider.issuer;
    const configId = await world.connect(await world.define(fields));
    expect(await world.get(configId, 1)).toMatchObject({ state: 'ready', version: 2 });
    await disconnect(configId);
    for (const place of places) {
      const names = provider.requestsTo(place).map(({ headers }) => headers['user-agent']);
      expect(names.length, place).toBeGreaterThan(0);
      for (const name of names) expect(name, place).toMatch(/^Gatehouse\/\d+\.\d+\.\d+/);
    }
  });
});

// npm/public-api#18 and OvenMediaLabs/OvenMediaEngine#776 are of the kind: gzip although the request does not accept it.
describe('an answer that is compressed although nobody asked for it', () => {
  const compress = (body: object, coding: 'gzip' | 'br') => {
    const text = JSON.stringify(body);
    return coding === 'gzip' ? gzipSync(text) : brotliCompressSync(text);
  };

  test.each(['gzip', 'br'] as const)('(%s) is read, at every endpoint', async (coding) => {
    const { provider } = world;
    const { origin, issuer, serverUrl } = provider;
    const answer = (place: Place, body: object) =>
      provider.answer(place, (_request, response) =>
        response.writeHead(200, { 'content-encoding': coding }).end(compress(body, coding)),
      );
    answer('resource', { resource: serverUrl, authorization_servers: [issuer] });
    answer('metadata', {
      issuer,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      code_challenge_methods_supported: ['S256'],
    });
    answer('registration', { client_id: 'compressed', client_secret: CLIENT.secret });
    answer('token', { access_token: 'access', refresh_token: 'refresh', token_type: 'Bearer' });
    const configId = await world.connect(await world.define(DISCOVERED));
    expect(await world.get(configId, 1)).toMatchObject({ state: 'ready', version: 2 });
  });

  test('and expands beyond 256 KiB is refused, and says so', async () => {
    const bomb = gzipSync(JSON.stringify({ issuer: 'x', padding: 'x'.repeat(10_000_000) }));
    expect(bomb.byteLength).toBeLessThan(20_000);
    world.provider.answer('metadata', (_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    await expect(world.define(DISCOVERED)).rejects.toThrow(/more bytes than the gateway accepts/);
  });
});
