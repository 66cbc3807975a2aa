import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDiff } from '../../src/domain/server-files/diff-servers.ts';
import type { ParsedServerFile } from '../../src/domain/server-files/imported-server.ts';
import { parseServerFile } from '../../src/domain/server-files/parse-server-file.ts';
import { DomainError } from '../../src/errors.ts';
import { apiKeyRecord, configRecord } from './config-record.ts';
import { diffServers } from './diff-file.ts';

const CANARY = 'c4n4ry0fASecret';

/** The file, or the error with which it is refused; anything else fails. */
function attempt(text: string): ParsedServerFile | DomainError {
  try {
    return parseServerFile(text);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'VALIDATION_FAILED') return error;
    throw error;
  }
}

/** All text of an error. */
function tell(error: DomainError): string {
  return `${error.message} ${error.stack ?? ''} ${JSON.stringify(error.details)}`;
}

const FIELDS = [
  ...['gatehouse', 'mcpServers', 'servers', 'mcp', 'server', 'name', 'inputs', 'remotes', 'packages', '_meta'],
  ...['url', 'type', 'transport', 'headers', 'command', 'args', 'oauth', 'auth', 'clientId', 'clientSecret', 'scopes'],
  ...['CLIENT_ID', 'CLIENT_SECRET', 'title', 'description', 'icons', 'src', 'variables', 'value', 'default', 'id'],
  ...['isRequired', 'enabled', 'authType', 'apiKeyHeader', 'apiKeyValue', 'customHeaders', 'oauth2ClientSecret'],
  ...['toolAllowList', 'displayName', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', ''],
];

const FIELD = fc.constantFrom(...FIELDS);

/** Values that could be secrets or lead somewhere. */
const VALUES = fc.oneof(
  fc.constantFrom<unknown>(1, 2, true, false, null, [], {}, 'http', 'sse', 'oauth', 'streamable-http', 'API_KEY'),
  fc.constantFrom(CANARY, `Bearer ${CANARY}`, `\u0024{${CANARY}`, `https://mcp.example.com/${CANARY}`, 'none'),
  fc.constantFrom('https://mcp.example.com/sse', '\u0024{env:A}', '{b}', '<c>', '\u0024{secret:customHeaders}'),
);

const { server, node } = fc.letrec<{ server: unknown; node: unknown }>((tie) => ({
  node: fc.oneof(VALUES, fc.array(VALUES, { maxLength: 2 }), fc.dictionary(FIELD, tie('node'), { maxKeys: 4 })),
  server: fc
    .tuple(
      fc.dictionary(FIELD, tie('node'), { maxKeys: 4 }),
      fc.dictionary(fc.string(), VALUES, { maxKeys: 3 }),
      fc.boolean(),
    )
    .map(([fields, headers, isLikely]) => ({
      ...fields,
      ...(isLikely && { url: 'https://mcp.example.com', headers }),
    })),
}));

const servers = fc.dictionary(fc.oneof(FIELD, fc.string()), fc.oneof({ arbitrary: server, weight: 9 }, node), {
  maxKeys: 3,
});

const file = fc.oneof(
  fc.record({ mcpServers: servers }),
  fc.record({ inputs: fc.array(node, { maxLength: 2 }), servers }, { requiredKeys: ['servers'] }),
  fc.record({ gatehouse: fc.constantFrom(1, 1, 2), servers }),
  fc.record({ servers: fc.array(server, { maxLength: 3 }) }),
  fc.record({ name: fc.string(), remotes: fc.array(server, { maxLength: 3 }) }),
  server,
);

describe('for any content of a file', () => {
  test('any text is read or refused', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json());
    fc.assert(
      fc.property(text, (each) => {
        attempt(each);
      }),
    );
  });

  test('plausible files are read or refused, and no error contains a value', () => {
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(file, (value) => {
        const result = attempt(JSON.stringify(value));
        seen[result instanceof DomainError ? 'refused' : 'read'] += 1;
        if (result instanceof DomainError) expect(tell(result)).not.toContain(CANARY);
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(100);
  });

  test('its differences can be printed', () => {
    fc.assert(
      fc.property(file, (value) => {
        const result = attempt(JSON.stringify(value));
        if (result instanceof DomainError) return;
        for (const slug of ['server', ...result.servers.map(({ input }) => input.slug)]) {
          const diffs = diffServers(result, [configRecord({ slug }), apiKeyRecord({ slug: `${slug}-2` })]);
          expect(formatDiff(diffs)).toMatch(/skipped\.\n$/);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a secret in any header or client secret is not shown', () => {
    const around = fc.string({ maxLength: 10 });
    const name = fc.oneof(fc.constantFrom('Authorization', '__proto__', 'X-Key'), fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, around, around), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (parts, isOAuth) => {
          const headers = Object.fromEntries(parts.map(([key, before, after]) => [key, `${before}${CANARY}${after}`]));
          const oauth = isOAuth ? { oauth: { clientSecret: Object.values(headers)[0] } } : {};
          const entry = { url: 'https://mcp.example.com/mcp', headers, ...oauth };
          const result = attempt(JSON.stringify({ mcpServers: { it: entry } }));
          if (result instanceof DomainError) throw result;
          const shown = formatDiff(diffServers(result, [])) + JSON.stringify(result);
          // Text in brackets and words after "$" or "%" are names of placeholders, not secrets.
          if (!/[{}<>]|[$%]\w|\$\(/.test(Object.values(headers).join(' '))) expect(shown).not.toContain(CANARY);
        },
      ),
    );
  });

  test('names of prototype properties are ordinary names', () => {
    const text = `{"mcpServers": {"__proto__": {"url": "https://a.example", "headers": {"__proto__": "x"}},
      "constructor": {"url": "https://b.example", "__proto__": {"command": "x"}}, "toString": {"command": "x"}}}`;
    const { servers, skipped } = parseServerFile(text);
    expect(servers.map(({ name, input }) => [name, input.slug, input.apiKeyHeader])).toEqual([
      ['__proto__', 'proto', '__proto__'],
      ['constructor', 'constructor', undefined],
    ]);
    expect(skipped.map(({ name }) => name)).toEqual(['toString']);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['command']).toBeUndefined();
  });

  test.each([
    ['[\u0024{', '\u0024{'],
    ['YOUR_', 'YOUR_'],
    ['braces', '{a '],
    ['angles', '<a'],
    ['stars', '*'],
    ['words', 'your-x '],
    ['schemes', ' '],
  ])('a megabyte of %s is read', (_what, piece) => {
    const value = piece.repeat(Math.floor(1_000_000 / piece.length));
    for (const [field, entry] of Object.entries({ headers: { 'X-Key': value }, url: `https://x.example/${value}` })) {
      const text = JSON.stringify({ mcpServers: { it: { url: 'https://x.example', [field]: entry } } });
      expect(attempt(text)).not.toBeInstanceOf(DomainError);
    }
  });

  test('the report is not much larger than the file', () => {
    const manyGaps = Array.from({ length: 20_000 }, (_, index) => `{gap${index}}`).join(' ');
    const headers = { ['x'.repeat(400_000)]: manyGaps, 'X-Some': '{a} {b} {c}', 'X-Key': '{a}' };
    const text = JSON.stringify({ mcpServers: { it: { url: 'https://x.example', headers } } });
    const result = attempt(text);
    if (result instanceof DomainError) throw result;
    expect(result.servers[0]?.secrets.map(({ placeholder }) => placeholder.slice(0, 5))).toEqual([
      'xxxxx',
      'a',
      'b',
      'c',
    ]);
    expect(JSON.stringify(diffServers(result, [])).length).toBeLessThan(text.length);
  });
});
