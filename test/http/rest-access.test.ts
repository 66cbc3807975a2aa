import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type Caller, createRestClient, minimalServer, type RestClient, SERVERS } from './rest-client.ts';

let gateway: TestGateway;
let rest: RestClient;
let enabledId: string;
let hiddenId: string;

beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
  enabledId = (await rest.define({ ...minimalServer('shown'), enabled: true })).id;
  hiddenId = (await rest.define(minimalServer('hidden'))).id;
});
afterAll(() => gateway.close());

const MISSING = '00000000-0000-4000-8000-000000000000';
const CALLERS = ['admin', 'auditor', 'service', 'member', 'suspended', 'nobody'] as const satisfies Caller[];

/** The status for each caller, in the order of CALLERS. */
const MATRIX: [what: string, statuses: number[], request: (caller: Caller) => Promise<{ status: number }>][] = [
  ['GET /', [200, 200, 200, 200, 401, 401], (caller) => rest.call(caller, 'GET', SERVERS)],
  [
    'GET /{id}, enabled',
    [200, 200, 200, 200, 401, 401],
    (caller) => rest.call(caller, 'GET', `${SERVERS}/${enabledId}`),
  ],
  [
    'GET /{id}, disabled',
    [200, 200, 200, 404, 401, 401],
    (caller) => rest.call(caller, 'GET', `${SERVERS}/${hiddenId}`),
  ],
  ['GET /{id}, missing', [404, 404, 404, 404, 401, 401], (caller) => rest.call(caller, 'GET', `${SERVERS}/${MISSING}`)],
  [
    'GET /{id}, not a UUID',
    [400, 400, 400, 400, 401, 401],
    (caller) => rest.call(caller, 'GET', `${SERVERS}/nonsense`),
  ],
  [
    'POST /',
    [201, 403, 403, 403, 401, 401],
    (caller) => rest.call(caller, 'POST', SERVERS, minimalServer(`by-${caller}`)),
  ],
  ['POST /, not valid', [400, 403, 403, 403, 401, 401], (caller) => rest.call(caller, 'POST', SERVERS, {})],
  ['POST /, not JSON', [400, 403, 403, 403, 401, 401], (caller) => rest.call(caller, 'POST', SERVERS, '{')],
  [
    'POST /, not said to be JSON',
    [415, 403, 403, 403, 401, 401],
    (caller) => rest.call(caller, 'POST', SERVERS, '{}', { 'content-type': 'text/plain' }),
  ],
  [
    'PATCH /{id}',
    [200, 403, 403, 403, 401, 401],
    (caller) => rest.call(caller, 'PATCH', `${SERVERS}/${enabledId}`, { description: caller }),
  ],
  [
    'PATCH /{id}, missing',
    [404, 403, 403, 403, 401, 401],
    (caller) => rest.call(caller, 'PATCH', `${SERVERS}/${MISSING}`, { description: caller }),
  ],
  [
    'PATCH /{id}, not a UUID, not JSON',
    [400, 403, 403, 403, 401, 401],
    (caller) => rest.call(caller, 'PATCH', `${SERVERS}/nonsense`, '{'),
  ],
  [
    'DELETE /{id}, missing',
    [404, 403, 403, 403, 401, 401],
    (caller) => rest.call(caller, 'DELETE', `${SERVERS}/${MISSING}`),
  ],
  [
    'DELETE /{id}, not a UUID',
    [400, 403, 403, 403, 401, 401],
    (caller) => rest.call(caller, 'DELETE', `${SERVERS}/nonsense`),
  ],
];

describe.each(MATRIX)('%s', (_what, statuses, request) => {
  test.each(CALLERS.map((caller, index) => [caller, statuses[index]] as const))(
    'gives %s a %d',
    async (caller, status) => {
      expect((await request(caller)).status).toBe(status);
    },
  );
});

test('DELETE /{id} is for the admin only', async () => {
  for (const caller of CALLERS) {
    const { id } = await rest.define(minimalServer(`gone-by-${caller}`));
    const { status } = await rest.call(caller, 'DELETE', `${SERVERS}/${id}`);
    expect([caller, status]).toEqual([caller, { admin: 204, suspended: 401, nobody: 401 }[caller as string] ?? 403]);
    const after = await rest.call('admin', 'GET', `${SERVERS}/${id}`);
    expect([caller, after.status]).toEqual([caller, caller === 'admin' ? 404 : 200]);
  }
});

test('a refused write changes nothing', async () => {
  const before = (await rest.call('admin', 'GET', SERVERS)).text;
  for (const caller of CALLERS.filter((each) => each !== 'admin')) {
    await rest.call(caller, 'POST', SERVERS, minimalServer(`refused-${caller}`));
    await rest.call(caller, 'PATCH', `${SERVERS}/${enabledId}`, { enabled: false });
    await rest.call(caller, 'DELETE', `${SERVERS}/${enabledId}`);
  }
  expect((await rest.call('admin', 'GET', SERVERS)).text).toBe(before);
});

test('the codes say who was refused and why', async () => {
  expect((await rest.call('nobody', 'GET', SERVERS)).body.code).toBe('UNAUTHENTICATED');
  expect((await rest.call('suspended', 'POST', SERVERS, {})).body.code).toBe('UNAUTHENTICATED');
  expect((await rest.call('member', 'POST', SERVERS, {})).body.code).toBe('FORBIDDEN');
});

test('a hidden server and a missing one get a member the same bytes', async () => {
  const hidden = await rest.call('member', 'GET', `${SERVERS}/${hiddenId}`);
  const missing = await rest.call('member', 'GET', `${SERVERS}/${MISSING}`);
  expect(hidden.status).toBe(404);
  expect(hidden.text).toBe(missing.text);
  // Each request has an id, and one less is left after it.
  const named = (headers: Headers) => [...headers].filter(([name]) => !['x-request-id', 'ratelimit'].includes(name));
  expect(named(hidden.headers)).toEqual(named(missing.headers));
});

test('members list the enabled servers, staff all of them', async () => {
  const seenBy = async (caller: Caller): Promise<string[]> =>
    (await rest.call(caller, 'GET', SERVERS)).body.map((server: { id: string }) => server.id);
  for (const caller of ['admin', 'auditor', 'service'] as const) {
    expect(await seenBy(caller)).toEqual(expect.arrayContaining([enabledId, hiddenId]));
  }
  const seen = await seenBy('member');
  expect(seen).toContain(enabledId);
  expect(seen).not.toContain(hiddenId);
});

test('without the experiment callers with permission get EXPERIMENT_DISABLED, before input is checked', async () => {
  const off = await createTestGateway({ env: { GATEHOUSE_EXPERIMENTS: '' } });
  try {
    const without = createRestClient(off);
    const requests: ((caller: Caller) => Promise<{ status: number; body: { code: string } }>)[] = [
      (caller) => without.call(caller, 'GET', SERVERS),
      (caller) => without.call(caller, 'GET', `${SERVERS}/nonsense`),
      (caller) => without.call(caller, 'POST', SERVERS, '{', { 'content-type': 'text/plain' }),
      (caller) => without.call(caller, 'PATCH', `${SERVERS}/nonsense`, '{'),
      (caller) => without.call(caller, 'DELETE', `${SERVERS}/nonsense`),
    ];
    for (const request of requests) {
      expect(await request('admin')).toMatchObject({ status: 403, body: { code: 'EXPERIMENT_DISABLED' } });
      expect(await request('nobody')).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    }
    for (const request of requests.slice(2)) {
      expect(await request('member')).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
  } finally {
    await off.close();
  }
});
