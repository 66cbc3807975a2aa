import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CLIENT } from '../setup/hostile-provider.ts';
import { type FieldWorld, openFieldWorld } from './connection-world.ts';

// Token endpoints that read a client's credentials in one place only, and say so in many ways: archestra-ai/archestra#7977,
// metatool-ai/metamcp#342, PrefectHQ/fastmcp#4600. They list Basic and read the body.

let world: FieldWorld;
beforeAll(async () => {
  world = await openFieldWorld();
});
afterAll(() => world?.close());
beforeEach(() => world.provider.reset());

type Method = 'basic' | 'post';
type Refusal = [status: number, body: object | string];

/** Where a request carries the secret. */
function readMethod({ headers, body }: { headers: Record<string, unknown>; body: string }): Method | 'none' {
  if (headers['authorization'] !== undefined) return 'basic';
  return new URLSearchParams(body).has('client_secret') ? 'post' : 'none';
}

/** A token endpoint that accepts one method, and refuses the other like this. */
function accept(method: Method, [status, refusal]: Refusal): void {
  const listener: RequestListener = (request, response) => {
    const isAccepted = (request.headers.authorization !== undefined) === (method === 'basic');
    const tokens = { access_token: 'access', refresh_token: 'refresh', expires_in: 600 };
    const body = isAccepted ? tokens : refusal;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(isAccepted ? 200 : status, { 'content-type': 'application/json' }).end(text);
  };
  world.provider.answer('token', listener);
}

const readMethods = () => world.provider.requestsTo('token').map(readMethod);

const REFUSALS: [string, Refusal][] = [
  ['400 invalid_request', [400, { error: 'invalid_request' }]],
  [
    '400 invalid_request that names the parameter',
    [400, { error: 'invalid_request', error_description: 'client_id is required' }],
  ],
  ['200 incorrect_client_credentials', [200, { error: 'incorrect_client_credentials' }]],
  ['400 unauthorized_client', [400, { error: 'unauthorized_client' }]],
  ['401 invalid_client', [401, { error: 'invalid_client' }]],
  ['401 and a text', [401, 'Unauthorized']],
];

describe('a token endpoint that reads the body only', () => {
  test.each(REFUSALS)(
    'and answers others with %s is asked again, and from then on like this',
    async (_what, refusal) => {
      accept('post', refusal);
      const configId = await world.connect(
        await world.define({ oauth2_client_id: `${CLIENT.id}-${refusal[0]}-${_what.length}` }),
      );
      expect(readMethods()).toEqual(['basic', 'post']);
      expect(await world.get(configId, 1)).toMatchObject({ state: 'ready', version: 2 });
      expect(readMethods()).toEqual(['basic', 'post', 'post']);
    },
  );

  test('is found although its metadata lists the other method', async () => {
    accept('post', [400, { error: 'invalid_request' }]);
    world.provider.spoilMetadata({ token_endpoint_auth_methods_supported: ['client_secret_basic'] });
    await world.connect(await world.define({ oauth2_issuer: world.provider.issuer, oauth2_client_id: 'listed' }));
    expect(readMethods()).toEqual(['basic', 'post']);
  });

  test('is found by a registered client too', async () => {
    accept('post', [400, { error: 'unauthorized_client' }]);
    const configId = await world.define({
      oauth2_client_id: '',
      oauth2_client_secret: undefined,
      oauth2_auth_url: '',
      oauth2_token_url: '',
      oauth2_revocation_url: '',
    });
    await world.connect(configId);
    expect(readMethods()).toEqual(['basic', 'post']);
    expect(await world.get(configId, 1)).toMatchObject({ state: 'ready', version: 2 });
    expect(readMethods()).toEqual(['basic', 'post', 'post']);
    expect(world.provider.requestsTo('registration')).toHaveLength(1);
  });
});

test('a token endpoint that changes its mind is followed', async () => {
  accept('post', [400, { error: 'invalid_request' }]);
  const configId = await world.connect(await world.define({ oauth2_client_id: 'changing' }));
  accept('basic', [401, { error: 'invalid_client' }]);
  expect(await world.get(configId, 1)).toMatchObject({ version: 2 });
  expect(await world.get(configId, 2)).toMatchObject({ version: 3 });
  expect(readMethods()).toEqual(['basic', 'post', 'post', 'basic', 'basic']);
});

test('a refusal of the code is not tried again: the code may be used up', async () => {
  world.provider.answer('token', {
    status: 400,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: 'invalid_grant' }),
  });
  expect((await world.finish(await world.define({ oauth2_client_id: 'refused' }))).status).toBe(502);
  expect(readMethods()).toEqual(['basic']);
});
