import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createRestClient, minimalServer, type RestClient, SERVERS } from './rest-client.ts';

let gateway: TestGateway;
let rest: RestClient;

beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
});
afterAll(() => gateway.close());

const SLUG_TAKEN = { code: 'CONFLICT', validations: [{ field: 'slug' }] };

test('a taken slug is a conflict on creation and update, and nothing changes', async () => {
  const first = await rest.define(minimalServer('taken'));
  const second = await rest.define(minimalServer('free'));
  const again = await rest.call('admin', 'POST', SERVERS, { ...minimalServer('x'), slug: ' taken ' });
  expect(again).toMatchObject({ status: 409, body: SLUG_TAKEN });
  const renamed = await rest.call('admin', 'PATCH', `${SERVERS}/${second.id}`, { slug: 'taken', enabled: true });
  expect(renamed).toMatchObject({ status: 409, body: SLUG_TAKEN });
  expect((await rest.call('admin', 'GET', SERVERS)).body).toEqual([second, first]);
});

test('a server keeps its own slug when it is sent again', async () => {
  const server = await rest.define(minimalServer('own'));
  const answer = await rest.call('admin', 'PATCH', `${SERVERS}/${server.id}`, { slug: 'own', enabled: true });
  expect(answer).toMatchObject({ status: 200, body: { slug: 'own', enabled: true } });
});

test('a slug is free again after the deletion', async () => {
  const { id } = await rest.define(minimalServer('again'));
  await rest.call('admin', 'DELETE', `${SERVERS}/${id}`);
  expect((await rest.call('admin', 'POST', SERVERS, minimalServer('again'))).status).toBe(201);
});

test('of 50 concurrent creations of one slug one succeeds and 49 conflict', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      rest.call('admin', 'POST', SERVERS, { ...minimalServer('race'), display_name: `Racer ${index}` }),
    ),
  );
  const winners = answers.filter(({ status }) => status === 201);
  expect(winners).toHaveLength(1);
  for (const answer of answers.filter(({ status }) => status !== 201)) {
    expect(answer).toMatchObject({ status: 409, body: SLUG_TAKEN });
  }
  const { body } = await rest.call('admin', 'GET', SERVERS);
  expect(body.filter(({ slug }: { slug: string }) => slug === 'race')).toEqual([winners[0]?.body]);
});
