import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
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
