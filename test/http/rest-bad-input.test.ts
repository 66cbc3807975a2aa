import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import {
  createRestClient,
  fullServer,
  minimalServer,
  type RestAnswer,
  type RestClient,
  SERVERS,
} from './rest-client.ts';

let gateway: TestGateway;
let rest: RestClient;
let before: string;

beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
  await rest.define({ ...fullServer('there'), auth_type: 'none' });
  before = (await rest.call('admin', 'GET', SERVERS)).text;
});
afterAll(async () => {
  await gateway.close();
});

const fieldsOf = ({ body }: RestAnswer): string[] => body.validations.map((each: { field: string }) => each.field);

async function expectNothingChanged(): Promise<void> {
  expect((await rest.call('admin', 'GET', SERVERS)).text).toBe(before);
}

async function theServer(): Promise<string> {
  return `${SERVERS}/${JSON.parse(before)[0].id}`;
}

describe('broken rules', () => {
  const BROKEN = {
    slug: 'Not A Slug',
    url: 'ftp://files.example.com',
    icon_url: 'https://user@icons.example.com/',
    oauth2_auth_url: 'nonsense',
    oauth2_token_url: 'https://login.example.com/token#there',
    oauth2_issuer: 'http://login.example.com',
    oauth2_scopes: 'fine "quoted"',
    api_key_header: 'two words',
    custom_headers: { 'X-Fine': 'a', 'Bad Name': 'b', Host: 'c', 'X-Broken': 'a\r\nb' },
    tool_allow_list: ['fine', 'x'.repeat(129)],
    tool_deny_list: ['a\nb'],
  };
  const BROKEN_FIELDS = [
    'slug',
    'url',
    'icon_url',
    'oauth2_auth_url',
    'oauth2_token_url',
    'oauth2_issuer',
    'oauth2_scopes',
    'api_key_header',
    'custom_headers.Bad Name',
    'custom_headers.Host',
    'custom_headers.X-Broken',
    'tool_allow_list[1]',
    'tool_deny_list[0]',
  ];

  test('are all reported on creation, missing fields included, by the names that were sent', async () => {
    const answer = await rest.call('admin', 'POST', SERVERS, { ...BROKEN, auth_type: 'oauth2' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(fieldsOf(answer).sort()).toEqual(['display_name', 'oauth2_client_id', ...BROKEN_FIELDS].sort());
    // The first is in the message, for clients that show nothing else.
    const [first] = answer.body.validations;
    expect(answer.body.message).toContain(`${first.field}: ${first.detail}`);
    for (const { detail } of answer.body.validations) expect(detail).toMatch(/\.$/);
    await expectNothingChanged();
  });

  test('are all reported on an update', async () => {
    const answer = await rest.call('admin', 'PATCH', await theServer(), { ...BROKEN, display_name: 'x'.repeat(121) });
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer).sort()).toEqual(['display_name', ...BROKEN_FIELDS].sort());
    await expectNothingChanged();
  });

  test.each([
    ['oauth2', ['oauth2_client_id', 'oauth2_token_url'], { oauth2_auth_url: 'https://login.example.com/authorize' }],
    ['api_key', ['api_key_header', 'api_key_value'], {}],
    ['custom_headers', ['custom_headers'], {}],
  ])('name the required fields of %s', async (auth_type, fields, given) => {
    const answer = await rest.call('admin', 'POST', SERVERS, { ...minimalServer('needs'), auth_type, ...given });
    expect(fieldsOf(answer)).toEqual(fields);
  });

  test('name a header that is given twice, in another case', async () => {
    const custom_headers = { 'X-Key': 'a', 'x-key': 'b' };
    const answer = await rest.call('admin', 'POST', SERVERS, { ...minimalServer('twice'), custom_headers });
    expect(fieldsOf(answer)).toEqual(['custom_headers.x-key']);
  });
});

describe('wrong types', () => {
  const WRONG = {
    display_name: 1,
    slug: null,
    url: {},
    transport: 'carrier_pigeon',
    auth_type: 7,
    availability: '',
    enabled: 'true',
    description: [],
    oauth2_client_secret: 12,
    oauth2_scopes: ['read'],
    api_key_value: { key: 'a' },
    custom_headers: { 'X-Number': 1, 'X-Fine': 'a' },
    tool_allow_list: 'search',
    tool_deny_list: ['a', 2],
  };

  test.each(['POST', 'PATCH'])('are all reported by %s', async (method) => {
    const answer = await rest.call('admin', method, method === 'POST' ? SERVERS : await theServer(), WRONG);
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(fieldsOf(answer).sort()).toEqual(
      [
        ...Object.keys(WRONG).filter((field) => field !== 'custom_headers' && field !== 'tool_deny_list'),
        'custom_headers.X-Number',
        'tool_deny_list[1]',
      ].sort(),
    );
    await expectNothingChanged();
  });

  test('say what would be right', async () => {
    const { body } = await rest.call('admin', 'POST', SERVERS, WRONG);
    const details = Object.fromEntries(
      body.validations.map((each: { field: string; detail: string }) => [each.field, each.detail]),
    );
    expect(details).toMatchObject({
      display_name: 'Must be text.',
      transport: 'Must be one of streamable_http, sse.',
      auth_type: 'Must be one of none, oauth2, api_key, custom_headers.',
      enabled: 'Must be true or false.',
      api_key_value: 'Must be text.',
      tool_allow_list: 'Must be a list.',
    });
  });

  test.each(['[]', 'null', '"text"', '1', '[[1]]'])('of the whole body, such as %s, are refused', async (body) => {
    for (const [method, path] of [
      ['POST', SERVERS],
      ['PATCH', await theServer()],
    ] as const) {
      expect(await rest.call('admin', method, path, body)).toMatchObject({
        status: 400,
        body: { code: 'VALIDATION_FAILED', message: 'Must be a JSON object.' },
      });
    }
  });
});

describe('a body that is not JSON', () => {
  test.each([
    ['', 1, 1],
    ['{', 1, 2],
    ['{"slug": sentry}', 1, 10],
    ['{\n  "slug": "a",\n}', 3, 1],
    ['{"slug": "a"} x', 1, 15],
  ])('is refused with the position of the mistake: %j', async (body, line, column) => {
    for (const [method, path] of [
      ['POST', SERVERS],
      ['PATCH', await theServer()],
    ] as const) {
      const answer = await rest.call(
        'admin',
        method,
        path,
        body === '' ? undefined : body,
        body === '' ? { 'content-type': 'application/json' } : {},
      );
      expect(answer.status).toBe(400);
      expect(answer.body).toEqual({
        code: 'VALIDATION_FAILED',
        message: `The body is not valid JSON: see line ${line}, column ${column}.`,
      });
    }
    await expectNothingChanged();
  });

  test('is refused when its bytes are not UTF-8', async () => {
    const bytes = Buffer.from(JSON.stringify({ ...minimalServer('latin'), description: 'caf\u00e9' }), 'latin1');
    const response = await gateway.fetch(SERVERS, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.tokens.admin}`, 'content-type': 'application/json' },
      body: bytes,
    });
    expect(response.status).toBe(400);
    await expectNothingChanged();
  });
});

describe('the media type', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '',
  ])('%j is refused', async (type) => {
    const sent = JSON.stringify(minimalServer('media'));
    for (const [method, path] of [
      ['POST', SERVERS],
      ['PATCH', await theServer()],
    ] as const) {
      expect(await rest.call('admin', method, path, sent, { 'content-type': type })).toMatchObject({
        status: 415,
        body: { code: 'VALIDATION_FAILED', message: expect.stringContaining('application/json') },
      });
    }
    await expectNothingChanged();
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'])(
    '%j is taken',
    async (type) => {
      const answer = await rest.call('admin', 'PATCH', await theServer(), '{}', { 'content-type': type });
      expect(answer.status).toBe(200);
    },
  );
});

test('a body of more than 256 KiB is refused, and one just below is read', async () => {
  const ofSize = (bytes: number) => JSON.stringify(minimalServer('large')).padEnd(bytes);
  for (const headers of [{}, { 'content-length': String(256 * 1_024 + 1) }]) {
    const answer = await rest.call('admin', 'POST', SERVERS, ofSize(256 * 1_024 + 1), headers);
    expect(answer).toMatchObject({ status: 413, body: { code: 'VALIDATION_FAILED' } });
    await expectNothingChanged();
  }
  const { status, body } = await rest.call('admin', 'POST', SERVERS, ofSize(256 * 1_024));
  expect(status).toBe(201);
  await rest.call('admin', 'DELETE', `${SERVERS}/${body.id}`);
});

describe('an id that is not a UUID', () => {
  test.each([
    '1',
    'there',
    '00000000-0000-4000-8000-00000000000',
    '00000000-0000-4000-8000-00000000000g',
    '%00',
    '%E0',
  ])('%j is reported as such', async (id) => {
    for (const [method, body] of [['GET'], ['PATCH', {}], ['DELETE']] as const) {
      const answer = await rest.call('admin', method, `${SERVERS}/${id}`, body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      expect(fieldsOf(answer)).toEqual(['id']);
    }
  });

  test('does not include one in upper case', async () => {
    const path = await theServer();
    const answer = await rest.call(
      'admin',
      'GET',
      path.replace(/[^/]+$/, (id) => id.toUpperCase()),
    );
    expect(answer.status).toBe(200);
  });
});
