import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getIntrospectionQuery } from 'graphql';
import { createGatehouseClient } from 'mcp-gatehouse-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findDocumentProblems } from '../../src/graphql/trusted-documents/document-problems.ts';
import type { App } from '../../src/http/app.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createId } from './config-operations.ts';
import {
  createDocumentPaths,
  type DocumentAnswer,
  type DocumentRequest,
  type DocumentTarget,
  hashOf,
  idOf,
} from './document-requests.ts';

const LIST = 'query List { mcpServerConfigs { totalCount nodes { id slug displayName } } }';
const USERS = 'query Users { users { totalCount } }';
const CREATE = 'mutation Create { createUser(input: { email: "by-id@example.com" }) { user { id } } }';
const TRUSTED = {
  query: 'query Trusted { viewer { role } }',
  subscription: 'subscription Trusted { mcpServerConfigEvents { type } }',
};

let count = 0;
/** A document that nobody sent before. */
function newDocument(operation: keyof typeof TRUSTED): string {
  count += 1;
  return TRUSTED[operation].replace('Trusted', `New${count}`);
}

let folder: string;
let gateway: TestGateway;
/** Takes only trusted documents. */
let strict: Replica;
const servers: RunningServer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-documents-'));
  const texts = [...Object.values(TRUSTED), LIST, USERS, CREATE];
  writeFileSync(path.join(folder, 'app.json'), JSON.stringify(Object.fromEntries(texts.map((it) => [idOf(it), it]))));
  const env = { GATEHOUSE_TRUSTED_DOCUMENTS: folder };
  gateway = await createTestGateway({ env });
  strict = await createReplica(gateway, gateway.database, { config: { trustedDocumentsOnly: true } });
  for (const { app } of [gateway, strict.gateway]) servers.push(await listen(app, { host: '127.0.0.1', port: 0 }));
});
afterAll(async () => {
  await Promise.all(servers.map((it) => it.close(1_000)));
  await strict?.close();
  await gateway?.close();
  rmSync(folder, { recursive: true, force: true });
});

const byHash = (sha256Hash: unknown, version: unknown = 1) => ({
  extensions: { persistedQuery: { version, sha256Hash } },
});

const RUNS = 'runs';
const UNKNOWN = 'PERSISTED_QUERY_NOT_FOUND';
const NOT_TRUSTED = 'DOCUMENT_NOT_TRUSTED';
const MALFORMED = 'VALIDATION_FAILED documentId INVALID_DOCUMENT_ID';
const MALFORMED_HASH = 'VALIDATION_FAILED extensions.persistedQuery.sha256Hash INVALID_DOCUMENT_ID';
const NOT_ITS_ID = 'VALIDATION_FAILED documentId DOCUMENT_ID_MISMATCH';
const NOT_ITS_HASH = 'VALIDATION_FAILED extensions.persistedQuery.sha256Hash DOCUMENT_ID_MISMATCH';

/** Runs, but not where only trusted documents are taken. */
const ONLY_IF_ALL = 'runs, if all documents are taken';

/** What a request says about its document, from a trusted and an unknown one, and what comes of it. */
const REQUESTS: [name: string, request: (trusted: string, unknown: string) => DocumentRequest, outcome: string][] = [
  ['the id of a trusted document', (it) => ({ documentId: idOf(it) }), RUNS],
  ['the hash of a trusted document', (it) => byHash(hashOf(it)), RUNS],
  ['an id and the same hash', (it) => ({ documentId: idOf(it), ...byHash(hashOf(it)) }), RUNS],
  ['an empty query beside an id', (it) => ({ query: '', documentId: idOf(it) }), RUNS],
  ['a trusted document', (query) => ({ query }), RUNS],
  ['a trusted document with its id', (query) => ({ query, documentId: idOf(query) }), RUNS],
  ['a trusted document with its hash', (query) => ({ query, ...byHash(hashOf(query)) }), RUNS],
  ['another document', (_, query) => ({ query }), ONLY_IF_ALL],
  ['another document with its id', (_, query) => ({ query, documentId: idOf(query) }), ONLY_IF_ALL],
  ['another document with its hash', (_, query) => ({ query, ...byHash(hashOf(query)) }), ONLY_IF_ALL],
  ['a trusted document with one space more', (it) => ({ query: `${it} ` }), ONLY_IF_ALL],
  ['an unknown id', (_, it) => ({ documentId: idOf(it) }), UNKNOWN],
  ['an unknown hash', (_, it) => byHash(hashOf(it)), UNKNOWN],
  ['an id without its prefix', (it) => ({ documentId: hashOf(it) }), MALFORMED],
  ['an id in capital letters', (it) => ({ documentId: `sha256:${hashOf(it).toUpperCase()}` }), MALFORMED],
  ['an id with another prefix', (it) => ({ documentId: `x-sha256:${hashOf(it)}` }), MALFORMED],
  ['an id with more behind it', (it) => ({ documentId: `${idOf(it)}\n` }), MALFORMED],
  ['an empty id', () => ({ documentId: '' }), MALFORMED],
  ['the name of a property as an id', () => ({ documentId: '__proto__' }), MALFORMED],
  ['a malformed id beside a document', (_, query) => ({ query, documentId: 'me' }), MALFORMED],
  ['a malformed hash', () => byHash('__proto__'), MALFORMED_HASH],
  ['a hash that is a list', (it) => byHash([hashOf(it)]), MALFORMED_HASH],
  [
    'another version',
    (it) => byHash(hashOf(it), 2),
    'VALIDATION_FAILED extensions.persistedQuery.version NOT_SUPPORTED',
  ],
  ["a trusted document's id with another document", (it, query) => ({ query, documentId: idOf(it) }), NOT_ITS_ID],
  ["a trusted document's hash with another document", (it, query) => ({ query, ...byHash(hashOf(it)) }), NOT_ITS_HASH],
  ['an id and another hash', (it, other) => ({ documentId: idOf(it), ...byHash(hashOf(other)) }), NOT_ITS_ID],
];

const toOutcome = ({ data, code, issue }: DocumentAnswer) =>
  data === undefined ? [code, issue].filter((it) => it !== undefined).join(' ') : RUNS;

const MODES = [
  {
    mode: 'where all documents are taken',
    isStrict: false,
    paths: createDocumentPaths(() => targetOf(gateway.app, 0)),
  },
  {
    mode: 'where only trusted documents are taken',
    isStrict: true,
    paths: createDocumentPaths(() => targetOf(strict.gateway.app, 1)),
  },
];

function targetOf(app: App, index: number): DocumentTarget {
  return { app, port: servers[index]?.port ?? 0, token: gateway.tokens.member };
}

const CASES = MODES.flatMap(({ paths, ...rest }) => paths.map((it) => ({ ...it, ...rest })));

describe.each(CASES)('$name, $mode', ({ operation, send, isStrict }) => {
  const anyDocument = isStrict ? NOT_TRUSTED : RUNS;

  test.each(REQUESTS)('with %s', async (_name, request, outcome) => {
    const answer = await send(request(TRUSTED[operation], newDocument(operation)));
    expect(toOutcome(answer)).toBe(outcome === ONLY_IF_ALL ? anyDocument : outcome);
  });

  test('with a document that a client registered, by its hash alone, and by its id', async () => {
    const query = newDocument(operation);
    expect(toOutcome(await send(byHash(hashOf(query))))).toBe(UNKNOWN);
    expect(toOutcome(await send({ query, ...byHash(hashOf(query)) }))).toBe(anyDocument);
    expect(toOutcome(await send(byHash(hashOf(query))))).toBe(isStrict ? UNKNOWN : RUNS);
    expect(toOutcome(await send({ documentId: idOf(query) }))).toBe(isStrict ? UNKNOWN : RUNS);
  });

  test('without a hash, registers nothing', async () => {
    const query = newDocument(operation);
    expect(toOutcome(await send({ query }))).toBe(anyDocument);
    expect(toOutcome(await send({ documentId: idOf(query) }))).toBe(UNKNOWN);
  });

  test('with a document that is not valid, registers nothing', async () => {
    for (const query of ['{ viewer { password } }', '{ viewer { id }', `{ viewer { ${'id '.repeat(1_600)}} }`]) {
      const { code } = await send({ query, ...byHash(hashOf(query)) });
      expect(code).toBe(isStrict ? NOT_TRUSTED : 'VALIDATION_FAILED');
      expect(toOutcome(await send(byHash(hashOf(query))))).toBe(UNKNOWN);
    }
  });
});

describe('where only trusted documents are taken', () => {
  test.each(['admin', 'bootstrap', 'service'] as const)(
    'they are for the %s, too, and introspection is none',
    async (role) => {
      for (const query of [
        '{ __typename }',
        getIntrospectionQuery(),
        'mutation { addEncryptionKey { encryptionKey { number } } }',
      ]) {
        const { errors, data } = await strict.graphql(query, gateway.tokens[role]);
        expect([data, errors?.[0].extensions.code]).toEqual([undefined, NOT_TRUSTED]);
      }
    },
  );

  test('the documents of the console are trusted, and all are valid', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../dist/console/documents.json', import.meta.url), 'utf8'));
    const entries = Object.entries(manifest as Record<string, string>);
    expect(entries.length).toBeGreaterThan(40);
    for (const [id, text] of entries) {
      expect([id, findDocumentProblems(text)]).toEqual([idOf(text), []]);
    }
    const viewer = entries.find(([, text]) => text.startsWith('query Viewer '))?.[1] ?? '';
    expect((await strict.graphql(viewer, gateway.tokens.member)).data.viewer.role).toBe('MEMBER');
  });

  test('the page of the playground says so instead, to those who are signed in', async () => {
    const open = async (token: string) => {
      const headers = { accept: 'text/html', authorization: `Bearer ${token}` };
      return (await strict.gateway.app.fetch(new Request(`${TEST_PUBLIC_URL}/graphql`, { headers }))).text();
    };
    const page = await open(gateway.tokens.admin);
    expect(page).toContain('GATEHOUSE_TRUSTED_DOCUMENTS_ONLY');
    expect(page).not.toContain('<script');
    expect(await open('')).toContain('Sign in to Gatehouse');
  });

  test('a refusal is 403, and repeats nothing', async () => {
    const refused = { query: 'query { findMeInTheLog }' };
    const response = await strict.gateway.app.fetch(
      new Request(`${TEST_PUBLIC_URL}/graphql`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${gateway.tokens.member}`,
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
        },
        body: JSON.stringify(refused),
      }),
    );
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain('findMeInTheLog');
  });
});

describe('the client package', () => {
  const bodies: { query?: string; documentId?: string }[] = [];
  const clientOf = (app: App) =>
    createGatehouseClient({
      url: `${TEST_PUBLIC_URL}/graphql`,
      token: gateway.tokens.member,
      fetch: async (url, init) => {
        bodies.push(JSON.parse(String(init?.body)));
        return app.fetch(new Request(String(url), init));
      },
    });
  /** As GraphQL Code Generator makes it in its mode for strings. */
  const toDocument = (text: string, hash = idOf(text)) => ({ toString: () => text, __meta__: { hash } });

  test('sends the hash of a document that has one, and the document where its hash is not known', async () => {
    const { query } = TRUSTED;
    for (const app of [gateway.app, strict.gateway.app]) {
      bodies.length = 0;
      expect(await clientOf(app).request(toDocument(query), {})).toEqual({ viewer: { role: 'MEMBER' } });
      expect(bodies).toEqual([{ documentId: idOf(query), variables: {} }]);
    }
    bodies.length = 0;
    const other = newDocument('query');
    expect(await clientOf(gateway.app).request(toDocument(other), {})).toEqual({ viewer: { role: 'MEMBER' } });
    expect(bodies).toEqual([
      { documentId: idOf(other), variables: {} },
      { query: other, variables: {} },
    ]);
    await expect(clientOf(strict.gateway.app).request(toDocument(other), {})).rejects.toMatchObject({
      code: NOT_TRUSTED,
    });
    bodies.length = 0;
    expect(await clientOf(gateway.app).request(toDocument(query, 'a'.repeat(40)), {})).toBeDefined();
    expect(bodies).toEqual([{ query, variables: {} }]);
  });
});

/** Posts a request, and reads the whole answer. */
async function post(request: object, token: string) {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/graphql-response+json',
  };
  const response = await gateway.fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(request) });
  return { status: response.status, text: await response.text() };
}

test('an answer is the same for a document and for its id, whichever is asked first and after a change', async () => {
  for (const first of ['document', 'id']) {
    await createId(gateway, { enabled: true });
    const requests =
      first === 'id' ? [{ documentId: idOf(LIST) }, { query: LIST }] : [{ query: LIST }, { documentId: idOf(LIST) }];
    const [one, other] = [
      await post(requests[0] ?? {}, gateway.tokens.member),
      await post(requests[1] ?? {}, gateway.tokens.member),
    ];
    expect(JSON.parse(one.text).data.mcpServerConfigs.totalCount).toBe(first === 'id' ? 2 : 1);
    expect(other).toEqual(one);
  }
});

test('a trusted document gives nobody a right', async () => {
  const request = { documentId: idOf(USERS) };
  expect(JSON.parse((await post(request, gateway.tokens.admin)).text).data.users.totalCount).toBeGreaterThan(0);
  expect((await post(request, gateway.tokens.member)).text).toContain('"FORBIDDEN"');
  expect((await post(request, 'gth_wrong')).status).toBe(401);
  const unknown = { documentId: idOf('{ viewer { id } }') };
  expect((await post(unknown, 'gth_wrong')).text).toContain('"UNAUTHENTICATED"');
});

test('a mutation by GET does not run, also when it is only named', async () => {
  const response = await gateway.fetch(`/graphql?documentId=${idOf(CREATE)}`, {
    headers: { authorization: `Bearer ${gateway.tokens.admin}` },
  });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  expect(await gateway.database.query(`SELECT 1 FROM users WHERE email = 'by-id@example.com'`)).toEqual([]);
});

test('refusals have a status that says so, for clients that take the media type of GraphQL', async () => {
  const unknown = { documentId: idOf('query { never }') };
  expect(await post(unknown, gateway.tokens.member)).toMatchObject({ status: 400 });
  expect(JSON.parse((await post(unknown, gateway.tokens.member)).text)).toEqual({
    errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
  });
  expect(await post({ documentId: 'me' }, gateway.tokens.member)).toMatchObject({ status: 400 });
});

test('a member fills the memory of registered documents only up to its limit, and takes no trusted one away', async () => {
  const filler = `#${'x'.repeat(16_000)}\n`;
  const registered = () => gateway.caches().find(({ name }) => name === 'registered documents');
  const { maxBytes = 0 } = registered() ?? {};
  const texts = Array.from({ length: 300 }, (_, number) => `query Fill${number} { __typename }${filler}`);
  for (const query of texts) await post({ query, ...byHash(hashOf(query)) }, gateway.tokens.member);
  expect(registered()?.bytes).toBeLessThanOrEqual(maxBytes);
  expect(registered()?.bytes).toBeGreaterThan(maxBytes / 2);
  const [first = '', last = ''] = [texts.at(0), texts.at(-1)];
  expect((await post(byHash(hashOf(first)), gateway.tokens.member)).text).toContain(UNKNOWN);
  expect((await post(byHash(hashOf(last)), gateway.tokens.member)).status).toBe(200);
  expect((await post({ documentId: idOf(TRUSTED.query) }, gateway.tokens.member)).status).toBe(200);
});
