import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FieldWorld, json, openFieldWorld } from './connection-world.ts';

// Good token answers in the forms that real servers give them, at the exchange of a code and at a refresh.

let world: FieldWorld;
beforeAll(async () => {
  world = await openFieldWorld();
});
afterAll(() => world?.close());
beforeEach(() => world.provider.reset());

const TOKEN = { access_token: 'access', refresh_token: 'refresh', token_type: 'Bearer' };
const typed = (type: string) => json(TOKEN, 200, { 'content-type': type });

test.each([
  ['with status 201', json(TOKEN, 201)],
  ['with status 202', json(TOKEN, 202)],
  ['with null for optional fields', json({ ...TOKEN, scope: null, expires_in: null, id_token: null })],
  ['with empty texts for optional fields', json({ ...TOKEN, scope: '', expires_in: '', token_type: '' })],
  ['with a list of scopes and a text for the lifetime', json({ ...TOKEN, scope: ['a', 'b'], expires_in: '600' })],
  ['with objects for optional fields', json({ ...TOKEN, scope: {}, expires_in: {}, token_type: {} })],
  ['without a token type', json({ ...TOKEN, token_type: undefined })],
  ['with a token type in capitals', json({ ...TOKEN, token_type: 'BEARER' })],
  ['as text/plain', typed('text/plain')],
  ['as text/json', typed('text/json; charset=utf-8')],
  ['as JSON of a vendor', typed('application/vnd.example+json')],
])('an answer %s connects, and refreshes', async (_what, answer) => {
  world.provider.answer('token', answer);
  const configId = await world.connect();
  expect(await world.get(configId, 1)).toMatchObject({ state: 'ready', version: 2 });
});

test('an access token that is a JWT is refreshed when its exp has passed, where no lifetime is given', async () => {
  const now = Math.floor(world.gateway.clock.now.getTime() / 1_000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwt = `${part({ alg: 'none' })}.${part({ iat: now, exp: now + 600 })}.x`;
  world.provider.answer('token', json({ ...TOKEN, access_token: jwt }));
  const configId = await world.connect();
  expect(await world.get(configId)).toMatchObject({ version: 1 });
  world.provider.answer('token', json(TOKEN));
  world.gateway.clock.advance(601_000);
  expect(await world.get(configId)).toMatchObject({ state: 'ready', version: 2 });
});
