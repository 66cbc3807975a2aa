import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type Caller, createRestClient, fullServer, minimalServer, type RestClient, SERVERS } from './rest-client.ts';

const CANARIES = {
  oauth2_client_secret: 'canary-client-secret-5b1e',
  api_key_value: 'canary-api-key-93c7',
  custom_headers: { 'X-Team': 'canary-header-value-e02d' },
};
const CANARY = /canary-/;
const CALLERS: Caller[] = ['admin', 'auditor', 'service', 'member', 'suspended', 'nobody'];

let gateway: TestGateway;
let rest: RestClient;

beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
});
afterAll(() => gateway.close());

test('secrets are stored, and are in no answer and not in the log', async () => {
  const created = await rest.call('admin', 'POST', SERVERS, { ...fullServer('canary'), ...CANARIES });
  expect(created).toMatchObject({
    status: 201,
    body: { has_oauth2_secret: true, has_api_key: true, has_custom_headers: true },
  });
  const path = `${SERVERS}/${created.body.id}`;
  const answers = [created];
  for (const caller of CALLERS) {
    answers.push(
      await rest.call(caller, 'GET', SERVERS),
      await rest.call(caller, 'GET', path),
      await rest.call(caller, 'POST', SERVERS, { ...fullServer(`canary-by-${caller}`), ...CANARIES }),
      await rest.call(caller, 'PATCH', path, CANARIES),
      await rest.call(caller, 'PATCH', path, { ...CANARIES, url: 'nonsense' }),
    );
  }
  for (const { text, headers } of answers) {
    expect(text.replaceAll(/canary-by-\w+/g, '')).not.toMatch(CANARY);
    expect(JSON.stringify([...headers])).not.toMatch(CANARY);
  }
  expect(gateway.logs()).toContain('/api/experimental/mcp/servers');
  expect(gateway.logs()).not.toMatch(CANARY);
});

test.each([
  ['a rule is broken', JSON.stringify({ ...CANARIES, slug: '!' })],
  [
    'a secret breaks a rule itself',
    JSON.stringify({ api_key_value: 'canary-\n', custom_headers: { Host: 'canary-\0' } }),
  ],
  ['a secret is too long', JSON.stringify({ api_key_value: `canary-${'x'.repeat(70_000)}` })],
  ['a type is wrong', JSON.stringify({ ...CANARIES, enabled: 'canary-', api_key_value: ['canary-'] })],
  ['a choice does not exist', JSON.stringify({ ...CANARIES, transport: 'canary-' })],
  ['the JSON is broken right at a secret', '{"api_key_value": canary-1}'],
  ['the JSON ends in a secret', '{"api_key_value": "canary-1'],
  ['the JSON goes on behind a secret', '{"api_key_value": "canary-1" canary-2}'],
])('an error repeats no secret when %s', async (_what, body) => {
  const answer = await rest.call('admin', 'POST', SERVERS, body);
  expect(answer.status).toBe(400);
  expect(answer.text).not.toMatch(CANARY);
  expect(gateway.logs()).not.toMatch(CANARY);
});

test('an unexpected error is masked with an id that is in the log, and neither contains what was sent', async () => {
  await gateway.database.query(
    `ALTER TABLE mcp_server_configs ADD CONSTRAINT made_to_fail CHECK (slug <> 'made-to-fail')`,
  );
  const sent = { ...minimalServer('made-to-fail'), ...CANARIES };
  const answer = await rest.call('admin', 'POST', SERVERS, sent);
  expect(answer.status).toBe(500);
  expect(answer.body).toEqual({
    code: 'INTERNAL_SERVER_ERROR',
    message: expect.stringContaining('Its log has the details'),
    errorId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(gateway.logs()).toContain(answer.body.errorId);
  expect(gateway.logs()).not.toMatch(CANARY);
});
