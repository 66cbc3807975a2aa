import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { newChat } from './chat-operations.ts';
import { createId, issuesOf, validInput } from './config-operations.ts';
import { INPUT_KINDS, listInputsOfKind, listInputTexts } from './input-fields.ts';

let gateway: TestGateway;
let configId: string;
let chatId: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  configId = await createId(gateway);
  chatId = (await newChat(gateway, 'member')).id;
});
afterAll(() => gateway?.close());

/** How an input type is sent: the operation, the valid fields beside the tested one, and where problems are reported. */
const SENDERS: Readonly<
  Record<
    string,
    { operation: string; caller?: 'member'; toVariables(fields: Record<string, unknown>): unknown; at?: string }
  >
> = {
  CreateMcpServerConfigInput: {
    operation: 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }',
    toVariables: (fields) => ({ input: { ...validInput(), ...fields } }),
  },
  UpdateMcpServerConfigInput: {
    operation:
      'mutation ($input: UpdateMcpServerConfigInput!) { updateMcpServerConfig(input: $input) { mcpServerConfig { id } } }',
    toVariables: (fields) => ({ input: { id: configId, ...fields } }),
  },
  HttpHeaderInput: {
    operation: 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }',
    toVariables: (fields) => ({
      input: { ...validInput(), authType: 'CUSTOM_HEADERS', customHeaders: [{ name: 'X-A', value: 'v', ...fields }] },
    }),
    at: 'customHeaders.0.',
  },
  CreateApiTokenInput: {
    operation: 'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
    toVariables: (fields) => ({ input: { userId: gateway.userIds.member, ...fields } }),
  },
  CreateChatInput: {
    operation: 'mutation ($input: CreateChatInput!) { createChat(input: $input) { id } }',
    caller: 'member',
    toVariables: (input) => ({ input }),
  },
  UpdateChatInput: {
    operation: 'mutation ($input: UpdateChatInput!) { updateChat(input: $input) { chat { id } } }',
    caller: 'member',
    toVariables: (fields) => ({ input: { id: chatId, ...fields } }),
  },
  CreateUserInput: {
    operation: 'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }',
    toVariables: (input) => ({ input }),
  },
  UpdateUserInput: {
    operation: 'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }',
    toVariables: (fields) => ({ input: { id: gateway.userIds.member, ...fields } }),
  },
  DiscoverMcpServerOAuthInput: {
    operation:
      'mutation ($input: DiscoverMcpServerOAuthInput!) { discoverMcpServerOAuth(input: $input) { discovery { issuer } } }',
    toVariables: (input) => ({ input }),
  },
  McpServerTestSettingsInput: {
    operation: 'mutation ($input: TestMcpServerInput!) { testMcpServer(input: $input) { isOk } }',
    toVariables: (settings) => ({ input: { settings } }),
    at: 'settings.',
  },
  Query: {
    operation: 'query ($url: String!) { discoverMcpServerOAuth(url: $url) { issuer } }',
    toVariables: (fields) => fields,
  },
};

/** Sends the value in the field. @returns the problems that are reported there */
async function send({ field, isList }: { field: string; isList: boolean }, value: string): Promise<string[]> {
  const [, type = '', name = ''] = /^(\w+)\.(?:\w+\()?(\w+)\)?$/.exec(field) ?? [];
  const sender = SENDERS[type];
  if (sender === undefined) throw new Error(`say in SENDERS how ${type} is sent`);
  const answer = await gateway.graphql(sender.operation, {
    token: gateway.tokens[sender.caller ?? 'admin'],
    variables: sender.toVariables({ [name]: isList ? ['read', value] : value }),
  });
  const path = `${sender.at ?? ''}${name}${isList ? '.1' : ''}: `;
  return issuesOf(answer)
    .filter((issue) => issue.startsWith(path))
    .map((issue) => issue.slice(path.length));
}

test('the table has exactly the texts of the schema, and calls no URL and no name something else', () => {
  const fields = listInputTexts().map(({ field }) => field);
  expect(Object.keys(INPUT_KINDS).sort()).toEqual(fields.sort());
  const oddlyNamed = fields.filter((field) => {
    const [name = ''] = /\w+\)?$/.exec(field) ?? [];
    if (/url|uri|issuer|endpoint/i.test(name)) return INPUT_KINDS[field] !== 'url';
    // The name of a tool that is there: compared, and not stored.
    if (field === 'McpToolApprovalInput.name') return false;
    return /name|title|label|email/i.test(name) && !['name', 'ascii'].includes(INPUT_KINDS[field] ?? '');
  });
  expect(oddlyNamed).toEqual([]);
});

describe.each(listInputsOfKind('name'))('$field', (field) => {
  const isEmail = field.field.endsWith('.email');
  const toValue = (text: string): string => (isEmail ? `${text}@example.com` : text);

  test.each([
    ['a line break', 'a\nb'],
    ['another control', 'a\u0085b'],
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['a direction mark', 'a\u200fb'],
    ['an override of the direction', 'a\u202eb'],
    ['an isolate', 'a\u2066b'],
    ['an Arabic letter mark', 'a\u061cb'],
    ['a space without width', 'a\u200bb'],
    ['a joiner', 'a\u200db'],
    ['a soft hyphen', 'a\u00adb'],
    ['a byte order mark', 'a\ufeffb'],
    ['a filler that is a letter', 'a\u3164b'],
    ['a variation selector', 'a\ufe0fb'],
    ['tags', 'a\u{e0067}b'],
  ])('does not take %s', async (_what, text) => {
    const found = await send(field, toValue(text));
    // Some of them are white space, which is refused in addresses anyway.
    expect(found).toEqual([isEmail && /\s/.test(text) ? 'INVALID_EMAIL' : 'INVALID_CHARACTER']);
  });

  test('takes emoji, unless only ASCII is allowed', async () => {
    expect(await send(field, toValue(`keys-👩‍💻-${field.field}`))).toEqual(
      field.field.endsWith('oauth2Scopes') ? ['INVALID_SCOPE'] : [],
    );
  });
});

describe.each(listInputsOfKind('ascii'))('$field', (field) => {
  test.each(['a\u200bb', 'a\u202eb', 'a\nb', 'ä', 'а', '👩‍💻'])('does not take %j', async (text) => {
    expect(await send(field, text)).toEqual([expect.stringMatching(/^(?:INVALID_SLUG|INVALID_HEADER_NAME)$/)]);
  });
});

describe.each(listInputsOfKind('url'))('$field', (field) => {
  test.each([
    ['javascript:alert(1)', 'INVALID_URL'],
    ['data:text/html,x', 'INVALID_URL'],
    ['//mcp.example.com/', 'INVALID_URL'],
    ['https:/mcp.example.com/', 'INVALID_URL'],
    ['https://mcp.example.com\\@evil.example/', 'INVALID_URL'],
    ['https://mcp.exam\nple.com/', 'INVALID_URL'],
    ['https://mcp.example\u200b.com/', 'INVALID_URL'],
    ['https://mcp。example.com/', 'INVALID_URL'],
    ['https://0x7f.1/', 'INVALID_URL'],
    ['http://mcp.example.com/', 'URL_NOT_HTTPS'],
    ['http://10.0.0.1/', 'URL_NOT_HTTPS'],
    ['ftp://mcp.example.com/', 'URL_NOT_HTTPS'],
    ['file://localhost/etc/passwd', 'INVALID_URL'],
    ['https://ada@mcp.example.com/', 'URL_HAS_USER_INFO'],
    ['https://@mcp.example.com/', 'URL_HAS_USER_INFO'],
    ['https://mcp.example.com/#top', 'URL_HAS_FRAGMENT'],
    [`https://mcp.example.com/${'a'.repeat(2_048)}`, 'TOO_LONG'],
  ])('does not take %s', async (url, code) => {
    expect(await send(field, url)).toEqual([code]);
  });
});
