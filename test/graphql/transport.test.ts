import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

const JSON_TYPE = 'application/json';
const QUERY = JSON.stringify({ query: '{ viewer { id } }' });
const MAX_BODY_BYTES = 256 * 1_024;

async function post(body: BodyInit | null, contentType: string | undefined, token = gateway.tokens.member) {
  const response = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...(contentType !== undefined && { 'content-type': contentType }) },
    body: typeof body === 'string' ? Buffer.from(body) : body,
    ...(body instanceof ReadableStream && ({ duplex: 'half' } as object)),
  });
  const text = await response.text();
  return { status: response.status, text, ...(text.startsWith('{') && JSON.parse(text)) };
}

/** The code of a refusal, which has GraphQL's format wherever it comes from. */
function codeOf({ errors }: { errors?: { extensions?: { code?: string } }[] }): string | undefined {
  return errors?.[0]?.extensions?.code;
}

describe('the media type', () => {
  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    '%s is taken',
    async (contentType) => {
      expect(await post(QUERY, contentType)).toMatchObject({ status: 200, data: { viewer: {} } });
    },
  );

  test.each([
    'text/plain',
    'application/graphql',
    'application/graphql+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'text/plain, application/json',
    '*/*',
    '',
    undefined,
  ])('%s is 415', async (contentType) => {
    const answer = await post(QUERY, contentType);
    expect([answer.status, codeOf(answer)]).toEqual([415, 'VALIDATION_FAILED']);
  });
});

describe('a body', () => {
  const padded = (bytes: number) => QUERY + ' '.repeat(bytes - QUERY.length);

  test('of 256 KiB is read, one byte more is 413', async () => {
    expect((await post(padded(MAX_BODY_BYTES), JSON_TYPE)).status).toBe(200);
    const answer = await post(padded(MAX_BODY_BYTES + 1), JSON_TYPE);
    expect([answer.status, codeOf(answer)]).toEqual([413, 'VALIDATION_FAILED']);
  });

  test('of 20 MB is 413, announced or not, and is not read to the end', async () => {
    let sent = 0;
    const chunk = new Uint8Array(64 * 1_024).fill(32);
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += chunk.byteLength;
        controller.enqueue(chunk);
        if (sent >= 20_000_000) controller.close();
      },
    });
    expect((await post(stream, JSON_TYPE)).status).toBe(413);
    expect(sent).toBeLessThan(1_000_000);
    const response = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${gateway.tokens.member}`,
        'content-type': JSON_TYPE,
        'content-length': '20000000',
      },
      body: QUERY,
    });
    expect(response.status).toBe(413);
  });

  test.each(['', '{', '{"query": "{ viewer { id } }"', '{query: 1}', '\ufeff', 'undefined', '{"query": "\u0001"}'])(
    'that is not JSON is 400: %j',
    async (body) => {
      const answer = await post(body, JSON_TYPE);
      expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
    },
  );

  test.each([
    'null',
    '1',
    '"{ viewer { id } }"',
    '{}',
    '{"query": null}',
    '{"query": 1}',
    '{"query": ["{ viewer { id } }"]}',
    '{"query": "{ viewer { id } }", "variables": []}',
    '{"query": "{ viewer { id } }", "variables": "x"}',
    '{"query": "{ viewer { id } }", "extensions": 1}',
    '{"query": "{ viewer { id } }", "more": 1}',
  ])('that is not a request is 400: %s', async (body) => {
    const answer = await post(body, JSON_TYPE);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
  });

  test.each([
    ['a byte that is no UTF-8', [0x7b, 0xff, 0x7d]],
    ['UTF-16', [...Buffer.from(QUERY, 'utf16le')]],
    ['half of a character', [...Buffer.from('{"query":"'), 0xc3]],
    ['an overlong slash', [...Buffer.from('{"query":"'), 0xc0, 0xaf, 0x22, 0x7d]],
  ])('that is %s is 400', async (_name, bytes) => {
    const answer = await post(Buffer.from(bytes), JSON_TYPE);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
  });

  test('that is incomplete is 400, and not logged as a fault', async () => {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from('{"query":'));
        controller.error(new Error('the caller went away'));
      },
    });
    const answer = await post(stream, JSON_TYPE);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
    expect(gateway.logs()).not.toContain('went away');
  });

  test.each([1, 2, 100])('with a batch of %i is 400, and none of it runs', async (size) => {
    const query = 'mutation { createUser(input: { email: "batch@example.com" }) { id } }';
    const answer = await post(
      JSON.stringify(Array.from({ length: size }, () => ({ query }))),
      JSON_TYPE,
      gateway.tokens.admin,
    );
    expect([answer.status, codeOf(answer)]).toEqual([400, 'VALIDATION_FAILED']);
    const found = await gateway.database.query(`SELECT 1 FROM users WHERE email = 'batch@example.com'`);
    expect(found).toEqual([]);
  });
});

describe('by GET', () => {
  const get = async (parameters: Record<string, string>, token: string | undefined = gateway.tokens.member) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await gateway.fetch(`/graphql?${new URLSearchParams(parameters)}`, { headers });
    return { status: response.status, allow: response.headers.get('allow'), ...((await response.json()) as object) };
  };

  test('a query runs, with variables and an operation name', async () => {
    const query = 'query A { viewer { id } } query B($slug: String) { mcpServerConfig(slug: $slug) { id } }';
    expect(await get({ query, operationName: 'A' })).toMatchObject({ status: 200, data: { viewer: {} } });
    const variables = JSON.stringify({ slug: 'none' });
    expect(await get({ query, operationName: 'B', variables })).toMatchObject({ data: { mcpServerConfig: null } });
  });

  test('a mutation does not run', async () => {
    const query = 'mutation { createUser(input: { email: "get@example.com" }) { id } }';
    expect(await get({ query }, gateway.tokens.admin)).toMatchObject({ status: 405, allow: 'POST' });
    expect(await gateway.database.query(`SELECT 1 FROM users WHERE email = 'get@example.com'`)).toEqual([]);
  });

  test('a query that is too long for a URL is 414', async () => {
    const answer = await get({ query: `{ viewer { ${'id '.repeat(3_000)} } }` });
    expect(answer).toMatchObject({ status: 414, errors: [{ extensions: { code: 'VALIDATION_FAILED' } }] });
  });

  test('unauthenticated is 401', async () => {
    expect(await get({ query: '{ viewer { id } }' }, '')).toMatchObject({ status: 401 });
  });
});

describe('an invalid document', () => {
  test.each([
    ['syntax', '{ viewer { id }'],
    ['an unknown field', '{ viewer { password } }'],
    ['an unknown argument', '{ viewer(id: 1) { id } }'],
    ['an unknown fragment', '{ viewer { ...Missing } }'],
    ['a fragment of another type', '{ viewer { ... on McpServerConfig { id } } }'],
    ['no selection', '{ viewer }'],
    ['two operations without a name', '{ viewer { id } } { viewer { id } }'],
    ['no operation', 'fragment F on User { id }'],
    ['a subscription', 'subscription { mcpServerConfigEvents { cursor } }'],
    ['a definition', 'type User { id: ID }'],
    ['nothing', ' '],
  ])('%s is VALIDATION_FAILED with its issue', async (_name, query) => {
    const { errors, data } = await gateway.graphql(query, { token: gateway.tokens.member });
    expect(data ?? null).toBeNull();
    for (const { message, extensions } of errors ?? []) {
      expect(extensions).toEqual({
        code: 'VALIDATION_FAILED',
        issues: [{ path: [], code: 'INVALID_DOCUMENT', message }],
      });
    }
    expect(errors?.length).toBeGreaterThan(0);
  });

  test('leaves no trace in the answer’s headers or the log', async () => {
    await gateway.graphql('{ viewer { findMeInTheLog } }', { token: gateway.tokens.member });
    expect(gateway.logs()).not.toContain('findMeInTheLog');
  });
});

describe('introspection', () => {
  const query = '{ __schema { types { name } } __type(name: "User") { name } }';

  test('is allowed for signed-in callers', async () => {
    for (const role of ['admin', 'auditor', 'service', 'member'] as const) {
      const { data, errors } = await gateway.graphql(query, { token: gateway.tokens[role] });
      expect(errors).toBeUndefined();
      expect(data.__schema.types.length).toBeGreaterThan(20);
    }
  });

  test('is refused to unauthenticated callers, without hints', async () => {
    for (const token of [undefined, gateway.tokens.suspended, 'gth_wrong']) {
      for (const document of [query, '{ __typename }', '{ viewr { id } }', '{ __typ }']) {
        const { status, errors, data } = await gateway.graphql(document, { token });
        expect(status).toBe(401);
        expect(data).toBeUndefined();
        expect(errors).toHaveLength(1);
        expect(errors?.[0].message).not.toMatch(/Did you mean|User|viewer/);
      }
    }
  });
});

test('an unexpected error shows only an id that is in the log', async () => {
  await gateway.database.query('ALTER TABLE chats RENAME COLUMN title TO gone');
  try {
    const { errors, data } = await gateway.graphql('{ viewer { id } chats { totalCount nodes { id } } }', {
      token: gateway.tokens.member,
    });
    expect(data).toBeNull();
    const { message, extensions } = errors?.[0] ?? {};
    expect(extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', errorId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(message).toContain(extensions.errorId);
    expect(JSON.stringify(errors)).not.toMatch(/title|Prisma|invocation|src\//);
    const line =
      gateway
        .logs()
        .split('\n')
        .find((each) => each.includes(extensions.errorId)) ?? '';
    expect(JSON.parse(line)).toMatchObject({ level: 'error', err: { stack: expect.any(String) } });
  } finally {
    await gateway.database.query('ALTER TABLE chats RENAME COLUMN gone TO title');
  }
});
