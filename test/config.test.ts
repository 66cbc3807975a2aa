import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { QUOTAS, type QuotaName } from '../src/limits/quotas.ts';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('an empty environment means a gateway on localhost with the embedded database', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    port: 4_000,
    host: '127.0.0.1',
    publicUrl: 'http://localhost:4000',
    databaseUrl: undefined,
    encryptionKeys: undefined,
    oidc: undefined,
    graphiql: true,
    logLevel: 'info',
  });
  expect([...config.experiments]).toEqual(['agents']);
});

test('every problem is reported at once, without secrets', () => {
  const problems = problemsOf({
    PORT: '70000',
    DATABASE_URL: 'mysql://user:hunter2-canary@host/db',
    GATEHOUSE_PUBLIC_URL: 'https://gatehouse.example.com/path',
    GATEHOUSE_ADMIN_TOKEN: 'short-canary',
    GATEHOUSE_ENCRYPTION_KEYS: `${generateMasterKey()},bm90LXRoaXJ0eS10d28tYnl0ZXM=`,
    GATEHOUSE_EXPERIMENTS: 'agents,nonsense',
    GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '10.0.0.0/8,10.0.0.0/99',
    GATEHOUSE_CORS_ORIGINS: 'https://chat.example.com/path',
    GATEHOUSE_ALLOWED_HOSTS: 'gatehouse.internal,https://a.example,a.example:80,*.example,a/b',
    GATEHOUSE_TRUSTED_PROXIES: 'everybody',
    GATEHOUSE_OIDC_ISSUER: 'http://issuer.example.com',
    GATEHOUSE_GRAPHIQL: 'maybe',
    GATEHOUSE_LOG_LEVEL: 'loud',
    GATEHOUSE_MAX_CHATS_PER_USER: '0',
    GATEHOUSE_MAX_SERVER_CONFIGS: 'many',
  });
  expect(problems.map((problem) => problem.split(':')[0])).toEqual([
    'PORT',
    'DATABASE_URL',
    'GATEHOUSE_PUBLIC_URL',
    'GATEHOUSE_ADMIN_TOKEN',
    'GATEHOUSE_ENCRYPTION_KEYS',
    'GATEHOUSE_EXPERIMENTS',
    'GATEHOUSE_ALLOWED_PRIVATE_CIDRS',
    'GATEHOUSE_CORS_ORIGINS',
    'GATEHOUSE_ALLOWED_HOSTS',
    'GATEHOUSE_ALLOWED_HOSTS',
    'GATEHOUSE_ALLOWED_HOSTS',
    'GATEHOUSE_ALLOWED_HOSTS',
    'GATEHOUSE_TRUSTED_PROXIES',
    'GATEHOUSE_OIDC_ISSUER',
    'GATEHOUSE_OIDC_AUDIENCE',
    'GATEHOUSE_GRAPHIQL',
    'GATEHOUSE_LOG_LEVEL',
    'GATEHOUSE_MAX_CHATS_PER_USER',
    'GATEHOUSE_MAX_SERVER_CONFIGS',
  ]);
  expect(problems.join('\n')).not.toContain('canary');
});

const ISSUER = { GATEHOUSE_OIDC_ISSUER: 'https://id.example.com' };
const CLIENT = { ...ISSUER, GATEHOUSE_OIDC_CLIENT_ID: 'gatehouse' };

describe('sign-in at an OpenID Connect provider', () => {
  test('is on with an issuer and a client, and has defaults', () => {
    expect(readConfig({ ...ISSUER, GATEHOUSE_OIDC_AUDIENCE: 'api' }).oidc?.signIn).toBeUndefined();
    expect(readConfig(CLIENT).oidc).toEqual({
      issuer: 'https://id.example.com',
      audience: undefined,
      roleClaim: 'gatehouse_role',
      roleMap: undefined,
      emailDomains: [],
      allowsSignUp: true,
      signIn: {
        clientId: 'gatehouse',
        clientSecret: undefined,
        scopes: ['openid', 'profile', 'email'],
        label: 'your organisation',
        sessionHours: 24,
      },
    });
  });

  test('can be set up in every detail', () => {
    const { oidc } = readConfig({
      ...CLIENT,
      GATEHOUSE_OIDC_CLIENT_SECRET: 'secret-canary',
      GATEHOUSE_OIDC_SCOPES: 'openid groups',
      GATEHOUSE_OIDC_EMAIL_DOMAINS: 'Example.com, example.org',
      GATEHOUSE_OIDC_ALLOW_SIGNUP: 'false',
      GATEHOUSE_OIDC_ROLE_MAP: 'gatehouse-admins=admin,cn=eyes ou=staff=auditor',
      GATEHOUSE_OIDC_LABEL: 'Example account',
      GATEHOUSE_OIDC_SESSION_HOURS: '8',
    });
    expect(oidc).toMatchObject({
      emailDomains: ['example.com', 'example.org'],
      allowsSignUp: false,
      signIn: { scopes: ['openid', 'groups'], label: 'Example account', sessionHours: 8 },
    });
    expect([...(oidc?.roleMap ?? [])]).toEqual([
      ['gatehouse-admins', 'admin'],
      ['cn=eyes ou=staff', 'auditor'],
    ]);
    expect(oidc?.signIn?.clientSecret?.expose()).toBe('secret-canary');
    expect(JSON.stringify(oidc)).not.toContain('canary');
  });

  test.each([
    ['GATEHOUSE_OIDC_SCOPES', 'profile email'],
    ['GATEHOUSE_OIDC_SCOPES', 'openid "quoted"'],
    ['GATEHOUSE_OIDC_EMAIL_DOMAINS', 'example.com,*.example.com'],
    ['GATEHOUSE_OIDC_EMAIL_DOMAINS', '@example.com'],
    ['GATEHOUSE_OIDC_ALLOW_SIGNUP', 'maybe'],
    ['GATEHOUSE_OIDC_ROLE_MAP', 'admins'],
    ['GATEHOUSE_OIDC_ROLE_MAP', 'admins=root'],
    ['GATEHOUSE_OIDC_ROLE_MAP', '=admin'],
    ['GATEHOUSE_OIDC_ROLE_MAP', 'a=admin,a=member'],
    ['GATEHOUSE_OIDC_LABEL', 'a'.repeat(121)],
    ['GATEHOUSE_OIDC_LABEL', 'a\u202eb'],
    ['GATEHOUSE_OIDC_SESSION_HOURS', '0'],
    ['GATEHOUSE_OIDC_SESSION_HOURS', '721'],
    ['GATEHOUSE_OIDC_SESSION_HOURS', '1.5'],
  ])('is not set up by %s = %s', (name, value) => {
    expect(problemsOf({ ...CLIENT, [name]: value })).toEqual([expect.stringContaining(`${name}: `)]);
  });

  test('needs its other parts', () => {
    expect(problemsOf({ GATEHOUSE_OIDC_CLIENT_ID: 'gatehouse' })).toEqual([
      expect.stringContaining('GATEHOUSE_OIDC_ISSUER: is required'),
    ]);
    expect(problemsOf({ ...ISSUER, GATEHOUSE_OIDC_AUDIENCE: 'a', GATEHOUSE_OIDC_CLIENT_SECRET: 'canary' })).toEqual([
      expect.stringMatching(/^GATEHOUSE_OIDC_CLIENT_ID: is required(?!.*canary)/),
    ]);
    expect(problemsOf(ISSUER)).toEqual([expect.stringContaining('GATEHOUSE_OIDC_AUDIENCE: is required')]);
  });
});

describe('a secret in a file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (text: string): string => {
    const file = path.join(folder, randomBytes(8).toString('hex'));
    writeFileSync(file, text);
    return file;
  };

  test('is read for every setting that is a secret, without the space around it', () => {
    const token = randomBytes(24).toString('base64url');
    const config = readConfig({
      ...CLIENT,
      DATABASE_URL_FILE: write('postgres://localhost/gatehouse\n'),
      GATEHOUSE_ADMIN_TOKEN_FILE: write(`${token}\n`),
      GATEHOUSE_ENCRYPTION_KEYS_FILE: write(`${generateMasterKey()},\n${generateMasterKey()}\n`),
      GATEHOUSE_OIDC_CLIENT_SECRET_FILE: write(' secret-canary\r\n'),
    });
    expect(config.databaseUrl?.expose()).toBe('postgres://localhost/gatehouse');
    expect(config.adminToken?.expose()).toBe(token);
    expect(config.encryptionKeys).toHaveLength(2);
    expect(config.oidc?.signIn?.clientSecret?.expose()).toBe('secret-canary');
    expect(config.warnings).toEqual([]);
  });

  test('that is missing, empty, wrong or given twice stops the start', () => {
    const name = 'GATEHOUSE_ADMIN_TOKEN_FILE';
    expect(problemsOf({ [name]: path.join(folder, 'missing') })).toEqual([
      `${name}: the file cannot be read (ENOENT).`,
    ]);
    expect(problemsOf({ [name]: folder })).toEqual([`${name}: the file cannot be read (EISDIR).`]);
    expect(problemsOf({ [name]: write('\n') })).toEqual([`${name}: the file is empty.`]);
    expect(problemsOf({ [name]: write('canary') })).toEqual([
      expect.stringMatching(/^GATEHOUSE_ADMIN_TOKEN: (?!.*canary)/),
    ]);
    const twice = { [name]: write('canary'), GATEHOUSE_ADMIN_TOKEN: randomBytes(24).toString('base64url') };
    expect(problemsOf(twice)).toEqual([expect.stringContaining(`${name}: cannot be set together`)]);
  });

  test('is only for secrets', () => {
    expect(readConfig({ GATEHOUSE_LOG_LEVEL_FILE: write('debug') })).toMatchObject({
      logLevel: 'info',
      warnings: [expect.stringContaining('GATEHOUSE_LOG_LEVEL_FILE: is not a setting')],
    });
  });
});

test('allowed hosts are read as URLs spell them', () => {
  const { allowedHosts } = readConfig({
    GATEHOUSE_ALLOWED_HOSTS: 'A.internal, bücher.example,10.0.0.5,::1,[2001:DB8::5]',
  });
  expect(allowedHosts).toEqual(['a.internal', 'xn--bcher-kva.example', '10.0.0.5', '[::1]', '[2001:db8::5]']);
  expect(readConfig({}).allowedHosts).toEqual([]);
});

test('each quota has a default and a setting, which the README has', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const [name, { setting, value }] of Object.entries(QUOTAS)) {
    expect(readConfig({}).quotas[name as QuotaName]).toBe(value);
    expect(readConfig({ [setting]: '7' }).quotas).toEqual({ ...readConfig({}).quotas, [name]: 7 });
    expect(problemsOf({ [setting]: '1.5' })).toEqual([expect.stringContaining(`${setting}: must be a whole number`)]);
    expect(readme).toContain(`\`${setting}\``);
  }
});

describe('a token of the bootstrap admin that is easy to guess is refused, and not repeated:', () => {
  test.each([
    ['one letter', 'a'.repeat(24)],
    ['few letters', 'abcabdabeabcabdaabcabdab'],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyz'],
    ['a word again and again', 'Hunter2-canary.Hunter2-canary.Hunter2'],
    ['a random part twice', 'kX3vQ9zLp0TaKX7wkX3vQ9zLp0TaKX7w'],
  ])('%s', (_name, token) => {
    const problems = problemsOf({ GATEHOUSE_ADMIN_TOKEN: token });
    expect(problems).toEqual([expect.stringMatching(/^GATEHOUSE_ADMIN_TOKEN: is easy to guess/)]);
    expect(problems.join()).not.toContain(token);
  });
});

test('a random token of the bootstrap admin is accepted, also in hexadecimal', () => {
  for (let round = 0; round < 200; round += 1) {
    for (const token of [randomBytes(12).toString('hex'), randomBytes(18).toString('base64url')]) {
      expect(readConfig({ GATEHOUSE_ADMIN_TOKEN: token }).adminToken?.expose()).toBe(token);
    }
  }
});

test('a database server requires keys from the environment', () => {
  expect(problemsOf({ DATABASE_URL: 'postgres://localhost/gatehouse' })).toEqual([
    expect.stringContaining('GATEHOUSE_ENCRYPTION_KEYS: is required'),
  ]);
  const config = readConfig({
    DATABASE_URL: 'postgres://localhost/gatehouse',
    GATEHOUSE_ENCRYPTION_KEYS: `${generateMasterKey()}, ${generateMasterKey()}`,
  });
  expect(config.encryptionKeys).toHaveLength(2);
  expect(config.graphiql).toBe(false);
});

test('an empty list of experiments switches all of them off', () => {
  expect([...readConfig({ GATEHOUSE_EXPERIMENTS: '' }).experiments]).toEqual([]);
});

test('private ranges are networks, addresses, or a host with a port', () => {
  const { allowedPrivateRanges } = readConfig({
    GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8, 10.1.2.3, fd00::/8, mcp.internal:8080',
  });
  expect(allowedPrivateRanges.map((range) => range.kind)).toEqual(['cidr', 'cidr', 'cidr', 'host']);
  expect(problemsOf({ GATEHOUSE_TRUSTED_PROXIES: 'proxy.internal:80' })).toHaveLength(1);
});

test.each([
  ['GATEHOUSE_ALOWED_PRIVATE_CIDR', 'GATEHOUSE_ALLOWED_PRIVATE_CIDRS'],
  ['GATEHOUSE_ENCRYPTION_KEY', 'GATEHOUSE_ENCRYPTION_KEYS'],
  ['GATEHOUSE_OIDC_AUDIENCES', 'GATEHOUSE_OIDC_AUDIENCE'],
  ['GATEHOUSE_EXPERIMENT', 'GATEHOUSE_EXPERIMENTS'],
  ['GATEHOUSE_DATABASE_URL', 'DATABASE_URL'],
  ['GATEHOUSE_PORT', 'PORT'],
  ['gatehouse_public_url', 'GATEHOUSE_PUBLIC_URL'],
])('the unknown variable %s is named with the nearest setting', (name, nearest) => {
  const warning = `${name}: is not a setting and has no effect. The nearest is ${nearest}.`;
  expect(readConfig({ [name]: 'value-canary' }).warnings).toEqual([warning]);
  // A misspelled setting is the likely cause when another one is missing.
  expect(() => readConfig({ [name]: 'value-canary', DATABASE_URL: 'postgres://localhost/gatehouse' })).toThrow(warning);
});

test('no warning is given about settings and about what Kubernetes adds for a service', () => {
  const { warnings } = readConfig({
    GATEHOUSE_EXPERIMENTS: 'agents',
    GATEHOUSE_LOG_LEVEL: 'warn',
    GATEHOUSE_PORT: 'tcp://10.0.0.7:4000',
    GATEHOUSE_SERVICE_HOST: '10.0.0.7',
    GATEHOUSE_SERVICE_PORT_HTTP: '4000',
    GATEHOUSE_PORT_4000_TCP: 'tcp://10.0.0.7:4000',
    GATEHOUSE_PORT_4000_TCP_ADDR: '10.0.0.7',
  });
  expect(warnings).toEqual([]);
});
