import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { create, createId, issuesOf, type LooseInput, update } from './config-operations.ts';
import { BAD_URLS, GOOD_URLS, RULES } from './config-rules.ts';
import { readAllRows } from './database-rows.ts';

const URL_FIELDS = [
  'url',
  'iconUrl',
  'oauth2AuthUrl',
  'oauth2TokenUrl',
  'oauth2RevocationUrl',
  'oauth2Issuer',
] as const;

let gateway: TestGateway;
let id: string;

beforeAll(async () => {
  gateway = await createTestGateway({
    env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '10.1.0.0/16,fd12::/64,tools.internal:8080' },
  });
  id = await createId(gateway);
});
afterAll(() => gateway?.close());

/** The problems that both creation and update report. */
async function expectIssues(input: LooseInput, issues: readonly string[]): Promise<void> {
  expect(issuesOf(await create(gateway, input))).toEqual(issues);
  expect(issuesOf(await update(gateway, id, input))).toEqual(issues);
}

/** Expects creation and update to accept an input. */
async function expectAccepted(input: LooseInput): Promise<void> {
  expect(issuesOf(await create(gateway, input))).toEqual([]);
  expect(issuesOf(await update(gateway, await createId(gateway), input))).toEqual([]);
}

describe('invalid input is refused on creation and on update, with every problem', () => {
  test.each(
    RULES.map(([input, issues]) => [JSON.stringify(input).slice(0, 80), issues.join(', '), input, issues] as const),
  )('%s → %s', async (_input, _issues, input, issues) => {
    await expectIssues(input, issues);
  });

  test.each(Object.entries(BAD_URLS))('URLs that are %s', async (code, urls) => {
    for (const url of urls) {
      // All fields at once: one answer reports each.
      const input = Object.fromEntries(URL_FIELDS.map((field) => [field, url]));
      await expectIssues(
        input,
        URL_FIELDS.map((field) => `${field}: ${code}`),
      );
    }
  });

  test('and changes nothing', async () => {
    const before = await readAllRows(gateway.database);
    for (const [input] of RULES.slice(0, 20)) {
      await create(gateway, input);
      await update(gateway, id, input);
    }
    expect(await readAllRows(gateway.database)).toEqual(before);
  });
});

describe('valid input is accepted', () => {
  test.each(GOOD_URLS.map((url) => [url.slice(0, 60), url]))('the URL %s', async (_short, url) => {
    const fields = URL_FIELDS.filter((field) => field !== 'oauth2Issuer' || !url.includes('?'));
    await expectAccepted(Object.fromEntries(fields.map((field) => [field, url])));
  });

  test.each(['http://10.1.2.3/', 'http://[fd12::1]:9000/', 'http://tools.internal:8080/mcp'])(
    'http to the private host %s, which the operator allowed',
    async (url) => {
      await expectAccepted({ url });
      const elsewhere = url.replace('10.1.', '10.2.').replace('fd12', 'fd13').replace('8080', '8081');
      await expectIssues({ url: elsewhere }, ['url: URL_NOT_HTTPS']);
    },
  );

  test.each(['a', '0', 'a-1', 'a-b-c', 'a'.repeat(64)])('the slug %s', async (slug) => {
    const { data } = await create(gateway, { slug: ` ${slug}\n` });
    expect(data.createMcpServerConfig.slug).toBe(slug);
  });

  test.each([
    ['a name of 120 emoji', { displayName: '😀'.repeat(120) }],
    ['a name in another script', { displayName: 'שלום' }],
    ['a description of several lines', { description: 'One\nTwo\tThree'.padEnd(4_000, '.') }],
    ['header names with every sign that a token may have', { apiKeyHeader: "!#$%&'*+-.^_`|~0aZ" }],
    ['a header name of 128 characters', { apiKeyHeader: 'a'.repeat(128) }],
    ['a header value with tab, quotes and Latin-1', { apiKeyValue: 'a\tb "ü" ÿ' }],
    ['64 headers', { customHeaders: Array.from({ length: 64 }, (_, index) => ({ name: `X-${index}`, value: 'v' })) }],
    ['an empty header value', { customHeaders: [{ name: 'X-Empty', value: '' }] }],
    ['names of 128 characters', { toolAllowList: ['a'.repeat(128)], oauth2Scopes: ['a'.repeat(128)] }],
    ['a list of 1,000 names', { toolDenyList: Array.from({ length: 1_000 }, (_, index) => `n${index}`) }],
    ['scopes with every sign that a scope may have', { oauth2Scopes: ['!#$%&()*+,-./:;<=>?@[]^_`{|}~'] }],
    ["another auth type's fields", { authType: 'NONE', apiKeyHeader: 'X-Key', apiKeyValue: 'k', oauth2ClientId: 'c' }],
  ] as [string, LooseInput][])('%s', async (_name, input) => {
    await expectAccepted(input);
  });
});

test('the number of problems is limited, however large the body', async () => {
  const toolAllowList = Array.from({ length: 20_000 }, () => 5);
  const { errors } = await create(gateway, { toolAllowList });
  expect(issuesOf({ errors: errors ?? [] })).toHaveLength(100);
});
