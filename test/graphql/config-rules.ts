import type { LooseInput } from './config-operations.ts';

const LONG_URL = `https://mcp.example.com/${'a'.repeat(2_048 - 'https://mcp.example.com/'.length)}`;

/** URLs that no field accepts, by reason. */
export const BAD_URLS: Readonly<Record<string, readonly string[]>> = {
  INVALID_URL: [
    'mcp.example.com',
    '/mcp',
    '//mcp.example.com/',
    'https:mcp.example.com',
    'https:/mcp.example.com',
    'https://',
    'https:///mcp',
    'https://?query',
    'https://mcp example.com/',
    'https://mcp.example.com/a b',
    'https://mcp.example.com/\tb',
    'https://mcp.example.com/a\nb',
    'https:\\\\mcp.example.com\\',
    'https://mcp.example.com\\@evil.example/',
    'https://[::1/',
    'https://mcp.example.com:99999/',
    'https://1.2.3.999/',
    'https://mcp.example.com/\ud800',
    'https://mcp.example.com/\0',
    'https://mcp.example.com/\u2028x',
    'https://münchen.example/',
    'https://ｅxample.com/',
    'https://mcp.exa%6dple.com/',
    'https://mcp.exam\u00adple.com/',
    'https://mcp.example.com:0443/',
    'https://mcp.example.com:/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://[::ffff:127.0.0.1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'javascript:alert(1)',
    'data:text/html,x',
    'mailto:ada@example.com',
  ],
  URL_NOT_HTTPS: [
    'http://mcp.example.com/',
    'http://localhost.example.com/',
    'http://tools.localhost/',
    'http://127.0.0.1.example.com/',
    'http://10.0.0.1/',
    'http://[fd00::1]/',
    'http://169.254.169.254/',
    'ftp://mcp.example.com/',
    'file://mcp.example.com/etc/passwd',
    'ws://mcp.example.com/',
  ],
  URL_HAS_USER_INFO: [
    'https://ada@mcp.example.com/',
    'https://ada:secret@mcp.example.com/',
    'https://@mcp.example.com/',
  ],
  URL_HAS_FRAGMENT: ['https://mcp.example.com/#part', 'https://mcp.example.com/#'],
  TOO_LONG: [`${LONG_URL}a`],
};

/** URLs that every field accepts. */
export const GOOD_URLS: readonly string[] = [
  'https://mcp.example.com',
  'https://mcp.example.com:8443/mcp?tenant=1',
  'HTTPS://MCP.EXAMPLE.COM/',
  'https://xn--mnchen-3ya.example:443/',
  'https://10.0.0.1/',
  LONG_URL,
  'http://localhost:3000/mcp',
  'http://127.0.0.1/',
  'http://127.9.9.9:1/',
  'http://[::1]:8080/',
  'http://[::ffff:7f00:1]/',
  '  https://mcp.example.com/  ',
];

const RESERVED_HEADERS = [
  'Connection',
  'keep-alive',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Connection',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Host',
  'Content-Length',
  'Content-Type',
  'Accept',
  'Last-Event-ID',
  'Expect',
  'HTTP2-Settings',
  'Content-Encoding',
  'Content-Range',
  'Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
  'If-Range',
  'Accept-Encoding',
  'Mcp-Session-Id',
  'MCP-Protocol-Version',
];
const NO_TOKENS = ['X Key', 'X-Kéy', 'X:Key', 'X(Key)', 'X\tKey', 'X\u0000', 'a'.repeat(129), '😀'];

type Rule = readonly [input: LooseInput, issues: readonly string[]];

const LISTS = ['toolAllowList', 'toolDenyList', 'oauth2Scopes'] as const;
const header = (name: unknown, value: unknown = 'v') => ({
  customHeaders: [
    { name: 'X-Good', value: 'v' },
    { name, value },
  ],
});

/** An input that breaks rules, both in a creation and in an update of a valid config, and the expected problems. */
export const RULES: readonly Rule[] = [
  ...['', ' ', '\t\n'].map((slug): Rule => [{ slug }, ['slug: REQUIRED']]),
  ...['A', 'a--b', '-a', 'a-', '-', 'a_b', 'a b', 'a.b', 'ä', 'ａ', 'a\0', 'a\ud800', 'a\nb', 'a'.repeat(65)].map(
    (slug): Rule => [{ slug }, ['slug: INVALID_SLUG']],
  ),
  [{ displayName: ' ' }, ['displayName: REQUIRED']],
  [{ displayName: 'x'.repeat(121) }, ['displayName: TOO_LONG']],
  ...['a\nb', 'a\0b', 'a\u0085b', 'a\ud800', '\udc00b', 'a\u202egnp.exe', 'a\u2066b'].map(
    (displayName): Rule => [{ displayName }, ['displayName: INVALID_CHARACTER']],
  ),
  [{ description: 'x'.repeat(4_001) }, ['description: TOO_LONG']],
  [{ description: 'a\0' }, ['description: INVALID_CHARACTER']],
  [{ url: '' }, ['url: REQUIRED']],
  [{ oauth2ClientId: 'a\nb' }, ['oauth2ClientId: INVALID_CHARACTER']],
  [{ oauth2ClientId: 'x'.repeat(2_049) }, ['oauth2ClientId: TOO_LONG']],
  [{ oauth2ClientSecret: 'a\0' }, ['oauth2ClientSecret: INVALID_CHARACTER']],
  [{ oauth2ClientSecret: 'x'.repeat(65_537) }, ['oauth2ClientSecret: TOO_LONG']],
  [{ oauth2Issuer: 'https://login.example.com/?tenant=1' }, ['oauth2Issuer: INVALID_URL']],
  ...LISTS.flatMap((list): Rule[] => [
    [{ [list]: ['', 'ok', ' ', 'x'.repeat(129)] }, [`${list}.3: TOO_LONG`]],
    [{ [list]: ['ok', 'ok', 'a\0b', 'a\ud800'] }, [`${list}.2: INVALID_CHARACTER`, `${list}.3: INVALID_CHARACTER`]],
    [{ [list]: Array.from({ length: 1_001 }, (_, index) => `n${index}`) }, [`${list}: TOO_MANY`]],
  ]),
  ...['read write', 'a"b', 'a\\b', 'é'].map(
    (scope): Rule => [{ oauth2Scopes: ['ok', scope] }, ['oauth2Scopes.1: INVALID_SCOPE']],
  ),
  ...NO_TOKENS.flatMap((name): Rule[] => [
    [{ apiKeyHeader: name }, ['apiKeyHeader: INVALID_HEADER_NAME']],
    [header(name), ['customHeaders.1.name: INVALID_HEADER_NAME']],
  ]),
  ...RESERVED_HEADERS.flatMap((name): Rule[] => [
    [{ apiKeyHeader: name }, ['apiKeyHeader: RESERVED_HEADER_NAME']],
    [header(name), ['customHeaders.1.name: RESERVED_HEADER_NAME']],
  ]),
  [header(''), ['customHeaders.1.name: INVALID_HEADER_NAME']],
  [header('x-GOOD'), ['customHeaders.1.name: DUPLICATE']],
  ...['a\rb', 'a\nb', 'a\0b', 'a\u007fb', 'a\ud800', 'Łódź', '😀'].flatMap((value): Rule[] => [
    [{ apiKeyValue: value }, ['apiKeyValue: INVALID_HEADER_VALUE']],
    [header('X-Other', value), ['customHeaders.1.value: INVALID_HEADER_VALUE']],
  ]),
  [{ apiKeyValue: 'x'.repeat(65_537) }, ['apiKeyValue: TOO_LONG']],
  [
    { customHeaders: Array.from({ length: 65 }, (_, index) => ({ name: `X-${index}`, value: 'v' })) },
    ['customHeaders: TOO_MANY'],
  ],
  [{ authType: 'OAUTH2', oauth2ClientSecret: 's' }, ['oauth2ClientId: REQUIRED']],
  [
    { authType: 'OAUTH2', oauth2TokenUrl: 'https://a.example/' },
    ['oauth2ClientId: REQUIRED', 'oauth2AuthUrl: REQUIRED'],
  ],
  [{ authType: 'OAUTH2', oauth2ClientId: 'a' }, ['oauth2AuthUrl: REQUIRED', 'oauth2TokenUrl: REQUIRED']],
  [{ authType: 'OAUTH2', oauth2ClientId: 'a', oauth2AuthUrl: 'https://a.example/' }, ['oauth2TokenUrl: REQUIRED']],
  [{ authType: 'API_KEY' }, ['apiKeyHeader: REQUIRED', 'apiKeyValue: REQUIRED']],
  [{ authType: 'API_KEY', apiKeyHeader: 'X-Key' }, ['apiKeyValue: REQUIRED']],
  [{ authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: ' ' }, ['apiKeyValue: REQUIRED']],
  [{ authType: 'API_KEY', apiKeyValue: 'k' }, ['apiKeyHeader: REQUIRED']],
  [{ authType: 'CUSTOM_HEADERS' }, ['customHeaders: REQUIRED']],
  [{ authType: 'CUSTOM_HEADERS', customHeaders: [] }, ['customHeaders: REQUIRED']],
  ...['transport', 'authType', 'availability', 'enabled'].map(
    (field): Rule => [{ [field]: null }, [`${field}: REQUIRED`]],
  ),
  [
    {
      displayName: '',
      slug: 'A',
      url: 'http://ada@example.com/#x',
      iconUrl: 'x',
      availability: null,
      toolDenyList: ['a\nb'],
      apiKeyHeader: 'Host',
      authType: 'API_KEY',
    },
    [
      'availability: REQUIRED',
      'displayName: REQUIRED',
      'slug: INVALID_SLUG',
      'url: URL_NOT_HTTPS',
      'url: URL_HAS_USER_INFO',
      'url: URL_HAS_FRAGMENT',
      'iconUrl: INVALID_URL',
      'toolDenyList.0: INVALID_CHARACTER',
      'apiKeyHeader: RESERVED_HEADER_NAME',
      'apiKeyValue: REQUIRED',
    ],
  ],
];
