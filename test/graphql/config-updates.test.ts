import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, issuesOf, type LooseInput, update } from './config-operations.ts';
import { uniqueSlug } from './root-fields.ts';
import { countUserTokens, insertUserToken } from './user-tokens.ts';

const MISSING_ID = '00000000-0000-4000-8000-00000000dead';

const OAUTH2 = {
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
  oauth2RevocationUrl: 'https://login.example.com/revoke',
  oauth2Issuer: 'https://login.example.com',
  oauth2Scopes: ['read', 'write'],
} as const;

const SECRETS = { oauth2ClientSecret: 's', apiKeyValue: 'k', customHeaders: [{ name: 'X-A', value: 'v' }] } as const;

/** A value for every field that can be cleared. */
const CLEARABLE = {
  description: 'What it does.',
  iconUrl: 'https://mcp.example.com/icon.png',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
  oauth2RevocationUrl: 'https://login.example.com/revoke',
  oauth2Issuer: 'https://login.example.com',
  apiKeyHeader: 'X-Key',
  oauth2Scopes: ['read'],
  toolAllowList: ['a'],
  toolDenyList: ['b'],
  ...SECRETS,
} satisfies LooseInput;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

/** A config's row as stored, with its secrets decrypted. */
async function readConfig(id: string) {
  const row = await gateway.prisma().mcpServerConfig.findUniqueOrThrow({ where: { id } });
  const { oauth2ClientSecret, apiKeyValue, customHeaders, ...rest } = row;
  const secrets = {
    oauth2ClientSecret:
      oauth2ClientSecret?.openFor(rest.url, rest.oauth2TokenUrl, rest.oauth2RevocationUrl).expose() ?? null,
    apiKeyValue: apiKeyValue?.openFor(rest.url).expose() ?? null,
    customHeaders: customHeaders?.openFor(rest.url).expose() ?? null,
  };
  return { ...rest, ...secrets };
}

describe('a field', () => {
  test('that is absent stays as it is, secrets included', async () => {
    const id = await createId(gateway, CLEARABLE);
    const before = await readConfig(id);
    expect(issuesOf(await update(gateway, id, { displayName: 'Renamed' }))).toEqual([]);
    const { displayName, version, updatedAt, ...after } = await readConfig(id);
    expect({ displayName, version }).toEqual({ displayName: 'Renamed', version: 2 });
    expect(updatedAt).toBeInstanceOf(Date);
    expect(before).toMatchObject({ ...after, version: 1 });
    expect(after).toMatchObject({ oauth2ClientSecret: 's', apiKeyValue: 'k', customHeaders: '{"X-A":"v"}' });
  });

  const clearable = Object.keys(CLEARABLE);
  const EMPTY = [
    ['null', null, null],
    ['an empty value', '', []],
    ['blanks', ' ', [' ']],
  ] as const;
  // Every other field, then the rest: no field is cleared with its neighbour.
  const CLEARINGS = EMPTY.flatMap((empty) => [0, 1].map((part) => [...empty, part] as const));

  test.each(CLEARINGS)(
    'that may be empty is cleared by %s, and no other field (%#)',
    async (what, text, list, part) => {
      const id = await createId(gateway, CLEARABLE);
      const before: Record<string, unknown> = await readConfig(id);
      const isList = (field: string) => Array.isArray(CLEARABLE[field as keyof typeof CLEARABLE]);
      // A list of headers has no blanks.
      const fields = clearable.filter(
        (field, index) => index % 2 === part && (what !== 'blanks' || field !== 'customHeaders'),
      );
      const patch = Object.fromEntries(fields.map((field) => [field, isList(field) ? list : text]));
      expect(issuesOf(await update(gateway, id, patch))).toEqual([]);
      const row: Record<string, unknown> = await readConfig(id);
      for (const field of clearable) {
        const isSecret = field in SECRETS;
        const cleared = isSecret ? null : isList(field) ? [] : '';
        expect(row[field], field).toEqual(fields.includes(field) ? cleared : before[field]);
        if (isSecret && fields.includes(field)) expect(row[`${field}KeyId`], field).toBeNull();
      }
    },
  );

  test.each(['displayName', 'slug', 'url'])('%s cannot be cleared', async (field) => {
    const id = await createId(gateway);
    for (const empty of [null, '', ' ']) {
      expect(issuesOf(await update(gateway, id, { [field]: empty }))).toEqual([`${field}: REQUIRED`]);
    }
  });

  test('that is a list is replaced as a whole, trimmed, without empty names and duplicates', async () => {
    const id = await createId(gateway, { toolAllowList: ['old'] });
    await update(gateway, id, {
      toolAllowList: [' b ', 'a', '', 'b', '\n'],
      customHeaders: [{ name: ' X-B ', value: ' v ' }],
    });
    expect(await readConfig(id)).toMatchObject({ toolAllowList: ['b', 'a'], customHeaders: '{"X-B":"v"}' });
  });

  test('that the auth type requires cannot be cleared', async () => {
    const id = await createId(gateway, { authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: 'k' });
    expect(issuesOf(await update(gateway, id, { apiKeyValue: null }))).toEqual(['apiKeyValue: REQUIRED']);
    expect(issuesOf(await update(gateway, id, { apiKeyHeader: '' }))).toEqual(['apiKeyHeader: REQUIRED']);
    expect(issuesOf(await update(gateway, id, { apiKeyHeader: 'X-Other' }))).toEqual([]);
  });
});

describe('a change of the auth type', () => {
  const EMPTY_OAUTH2 = {
    oauth2ClientId: '',
    oauth2AuthUrl: '',
    oauth2TokenUrl: '',
    oauth2RevocationUrl: '',
    oauth2Issuer: '',
  };

  test.each([
    [
      'OAUTH2',
      OAUTH2,
      { ...EMPTY_OAUTH2, oauth2Scopes: [], oauth2ClientSecret: null, apiKeyValue: 'k', customHeaders: '{"X-A":"v"}' },
    ],
    [
      'API_KEY',
      { apiKeyHeader: 'X-Key' },
      { apiKeyHeader: '', apiKeyValue: null, oauth2ClientSecret: 's', customHeaders: '{"X-A":"v"}' },
    ],
    [
      'CUSTOM_HEADERS',
      { apiKeyHeader: 'X-Key' },
      { customHeaders: null, oauth2ClientSecret: 's', apiKeyValue: 'k', apiKeyHeader: 'X-Key' },
    ],
  ])('clears the fields of %s and nothing else', async (authType, fields, expected) => {
    const id = await createId(gateway, { ...SECRETS, ...fields, authType });
    expect(issuesOf(await update(gateway, id, { authType: 'NONE' }))).toEqual([]);
    expect(await readConfig(id)).toMatchObject({ authType: 'none', ...expected });
  });

  test('keeps what the same patch sets', async () => {
    const id = await createId(gateway, { ...OAUTH2, oauth2ClientSecret: 's' });
    await update(gateway, id, { authType: 'NONE', oauth2ClientId: 'kept', oauth2ClientSecret: 'new' });
    expect(await readConfig(id)).toMatchObject({
      oauth2ClientId: 'kept',
      oauth2ClientSecret: 'new',
      oauth2TokenUrl: '',
    });
  });

  test('uses what was stored before for the new type', async () => {
    const id = await createId(gateway, { apiKeyHeader: 'X-Key', apiKeyValue: 'k' });
    expect(issuesOf(await update(gateway, id, { authType: 'API_KEY' }))).toEqual([]);
    expect(await readConfig(id)).toMatchObject({ authType: 'api_key', apiKeyValue: 'k' });
  });

  test('to the same type clears nothing', async () => {
    const id = await createId(gateway, OAUTH2);
    expect(issuesOf(await update(gateway, id, { authType: 'OAUTH2', displayName: 'B' }))).toEqual([]);
    expect(await readConfig(id)).toMatchObject({ oauth2ClientId: 'client', oauth2Scopes: ['read', 'write'] });
  });
});

describe('while secrets are stored', () => {
  const url = 'https://elsewhere.example.com/mcp';
  const kept = ['oauth2ClientSecret', 'apiKeyValue', 'customHeaders'] as const;
  const issues = (fields: readonly string[]) => fields.map((field) => `${field}: SECRET_NOT_RESENT`);

  test.each([
    'https://elsewhere.example.com/mcp',
    'https://mcp.example.com:8443/mcp',
    'https://mcp.example.com.evil.example/mcp',
    'http://localhost/mcp',
  ])('moving the URL to the origin of %s reports each secret that is not sent again', async (elsewhere) => {
    const id = await createId(gateway, SECRETS);
    expect(issuesOf(await update(gateway, id, { url: elsewhere }))).toEqual(issues(kept));
    for (const field of kept) {
      const others = kept.filter((other) => other !== field);
      const patch = { url: elsewhere, [field]: SECRETS[field] };
      expect(issuesOf(await update(gateway, id, patch))).toEqual(issues(others));
    }
    expect(await readConfig(id)).toMatchObject({ version: 1, url: 'https://mcp.example.com/mcp' });
  });

  test('sending or clearing each of them allows a new origin of the URL', async () => {
    const resent = await createId(gateway, SECRETS);
    expect(issuesOf(await update(gateway, resent, { url, ...SECRETS, apiKeyValue: 'k2' }))).toEqual([]);
    expect(await readConfig(resent)).toMatchObject({ url, apiKeyValue: 'k2', oauth2ClientSecret: 's' });
    const cleared = await createId(gateway, SECRETS);
    const empty = { oauth2ClientSecret: null, apiKeyValue: '', customHeaders: [] };
    expect(issuesOf(await update(gateway, cleared, { url, ...empty }))).toEqual([]);
    expect(await readConfig(cleared)).toMatchObject({ url, apiKeyValue: null, customHeaders: null });
  });

  test('the URL may change within its origin', async () => {
    const id = await createId(gateway, SECRETS);
    for (const same of ['https://mcp.example.com/v2', 'https://MCP.example.com:443/v3?x=1']) {
      expect(issuesOf(await update(gateway, id, { url: same }))).toEqual([]);
    }
    expect(await readConfig(id)).toMatchObject({ apiKeyValue: 'k', version: 3 });
  });

  test('changing the auth type clears its own secrets, the others must still be sent', async () => {
    const id = await createId(gateway, { ...SECRETS, authType: 'API_KEY', apiKeyHeader: 'X-Key' });
    const others = ['oauth2ClientSecret', 'customHeaders'];
    expect(issuesOf(await update(gateway, id, { url, authType: 'NONE' }))).toEqual(issues(others));
  });
});

describe('while a client secret is stored', () => {
  const issues = ['oauth2ClientSecret: SECRET_NOT_RESENT'];

  test.each(['oauth2TokenUrl', 'oauth2RevocationUrl'])('changing the origin of %s requires it again', async (field) => {
    const id = await createId(gateway, { ...OAUTH2, ...SECRETS });
    const patch = { [field]: 'https://elsewhere.example.com/x' };
    expect(issuesOf(await update(gateway, id, patch))).toEqual(issues);
    expect(issuesOf(await update(gateway, id, { [field]: 'https://login.example.com/x' }))).toEqual([]);
    expect(issuesOf(await update(gateway, id, { ...patch, oauth2ClientSecret: 's2' }))).toEqual([]);
    expect(await readConfig(id)).toMatchObject({ [field]: patch[field], oauth2ClientSecret: 's2', apiKeyValue: 'k' });
  });

  test('adding a revocation URL requires it again, removing one does not', async () => {
    const id = await createId(gateway, { ...OAUTH2, oauth2ClientSecret: 's' });
    expect(issuesOf(await update(gateway, id, { oauth2RevocationUrl: null }))).toEqual([]);
    const { oauth2RevocationUrl } = OAUTH2;
    expect(issuesOf(await update(gateway, id, { oauth2RevocationUrl }))).toEqual(issues);
    expect(issuesOf(await update(gateway, id, { oauth2RevocationUrl, oauth2ClientSecret: null }))).toEqual([]);
  });

  test('it is reported once when the origins of all three URLs change', async () => {
    const id = await createId(gateway, { ...OAUTH2, oauth2ClientSecret: 's' });
    const elsewhere = 'https://elsewhere.example.com/x';
    const patch = { url: elsewhere, oauth2TokenUrl: elsewhere, oauth2RevocationUrl: elsewhere };
    expect(issuesOf(await update(gateway, id, patch))).toEqual(issues);
  });
});

describe('tokens of users', () => {
  test.each<[LooseInput, 'removed' | 'kept']>([
    [{ url: 'https://elsewhere.example.com/mcp' }, 'removed'],
    [{ url: 'https://mcp.example.com:444/mcp' }, 'removed'],
    [{ url: 'http://localhost/mcp' }, 'removed'],
    [{ authType: 'NONE' }, 'removed'],
    [{ oauth2Issuer: 'https://other.example.com' }, 'removed'],
    [{ oauth2Issuer: null }, 'removed'],
    [{ oauth2TokenUrl: 'https://login.example.com/token2' }, 'removed'],
    [{ oauth2ClientId: 'client2' }, 'removed'],
    [{ oauth2RevocationUrl: 'https://other.example.com/revoke' }, 'removed'],
    [{ url: 'https://mcp.example.com/v2' }, 'kept'],
    [{ oauth2AuthUrl: 'https://login.example.com/authorize2' }, 'kept'],
    [{ oauth2RevocationUrl: null }, 'kept'],
    [{ oauth2RevocationUrl: 'https://login.example.com/revoke2' }, 'kept'],
    [{ oauth2Scopes: ['read'] }, 'kept'],
    [{ oauth2ClientSecret: 'new' }, 'kept'],
    [{ transport: 'SSE' }, 'kept'],
    [{ enabled: true, displayName: 'B', slug: uniqueSlug(), toolDenyList: ['x'] }, 'kept'],
    [{ authType: 'OAUTH2', oauth2ClientId: ' client ', oauth2Issuer: 'https://login.example.com' }, 'kept'],
    [{ url: 'https://elsewhere.example.com/', displayName: '' }, 'kept'],
    [{ oauth2ClientId: 'client2', slug: 'taken' }, 'kept'],
  ])('after %j are %s', async (patch, outcome) => {
    const id = await createId(gateway, OAUTH2);
    const other = await createId(gateway, OAUTH2);
    if (patch.slug === 'taken') await createId(gateway, { slug: 'taken' });
    for (const configId of [id, other]) {
      for (const userId of [gateway.userIds.member, gateway.userIds.admin])
        await insertUserToken(gateway, { configId, userId });
    }
    await update(gateway, id, patch);
    expect(await countUserTokens(gateway, id)).toBe(outcome === 'kept' ? 2 : 0);
    expect(await countUserTokens(gateway, other)).toBe(2);
  });
});

test('update, deletion and token removal for a missing config are NOT_FOUND', async () => {
  const operations = [
    `mutation { updateMcpServerConfig(id: "${MISSING_ID}", patch: { slug: "-" }) { id } }`,
    `mutation { deleteMcpServerConfig(id: "${MISSING_ID}") { deletedId } }`,
    `mutation { removeMcpServerUserTokens(id: "${MISSING_ID}") { removedCount } }`,
  ];
  for (const query of operations) {
    const { errors } = await gateway.graphql(query, { token: gateway.tokens.admin });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  }
});
