import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toDraft } from '../../src/domain/configs/config-draft.ts';
import type { ConfigInput } from '../../src/domain/configs/config-input.ts';
import { checkDraft } from '../../src/domain/configs/config-rules.ts';
import { Issues } from '../../src/domain/validation/issues.ts';
import { toNameList } from '../../src/domain/validation/text.ts';
import type { ValidationIssue } from '../../src/errors.ts';
import { DomainError } from '../../src/errors.ts';

/** Any sequence of UTF-16 code units: control characters, half surrogate pairs and all. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
);
/** Text made of characters that the rules mention, so that near misses are common. */
const nearSlug = fc.string({
  unit: fc.constantFrom('a', 'z', '0', '9', '-', '-', 'A', '_', ' ', 'ä', '\n'),
  maxLength: 70,
});
const nearUrl = fc
  .array(
    fc.constantFrom(
      'https:',
      'http:',
      '//',
      '/',
      '\\',
      '@',
      ':',
      '#',
      '?',
      '.',
      '[::1]',
      '127.0.0.1',
      'localhost',
      'a.example',
      '%2e',
      ' ',
      '\t',
      '\u00ad',
      '。',
      '8080',
      'ada',
      '0x7f.1',
    ),
    { maxLength: 10 },
  )
  .map((parts) => parts.join(''));

/** The problems of a new config with this input. */
function issuesOf(input: ConfigInput): readonly ValidationIssue[] {
  const issues = new Issues();
  const draft = toDraft(issues, { displayName: 'A', slug: 'a', url: 'https://a.example/', ...input });
  checkDraft(issues, { draft, input }, () => false);
  try {
    issues.throwIfAny();
  } catch (error) {
    if (error instanceof DomainError) return error.details['issues'] as ValidationIssue[];
    throw error;
  }
  return [];
}

describe('a slug', () => {
  test.each([
    ['anything', anyText],
    ['something like a slug', nearSlug],
  ])(
    'is valid exactly if it has words of a-z and 0-9 with single hyphens, at most 64 characters: %s',
    (_name, texts) => {
      fc.assert(
        fc.property(texts, (slug) => {
          const words = slug.trim().split('-');
          const isGood = words.every((word) => word !== '' && [...word].every((sign) => /[a-z0-9]/.test(sign)));
          expect(issuesOf({ slug }).length === 0).toBe(isGood && slug.trim().length <= 64);
        }),
        { numRuns: 1_000 },
      );
    },
  );
});

describe('a list of names', () => {
  test('is trimmed, without empty names and duplicates, in the order of first mention', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, fc.constantFrom('a', ' a', 'b', '')), { maxLength: 20 }), (names) => {
        const list = toNameList(names);
        const expected: string[] = [];
        for (const name of names.map((each) => each.trim())) {
          if (name.length > 0 && !expected.includes(name)) expected.push(name);
        }
        expect(list).toEqual(expected);
        expect(toNameList(list)).toEqual(list);
      }),
    );
  });

  test('is reported at the position where the name was sent', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyText, fc.constantFrom('', ' ', 'ok', 'x'.repeat(129))), { maxLength: 12 }),
        (names) => {
          for (const { path } of issuesOf({ toolAllowList: names })) {
            const [field, index, ...rest] = path;
            expect([field, rest]).toEqual(['toolAllowList', []]);
            const name = names[Number(index)]?.trim() ?? '';
            expect(
              name === 'x'.repeat(129) ||
                /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u.test(name),
            ).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a URL', () => {
  test.each([
    ['anything', anyText],
    ['anything after https://', anyText.map((text) => `https://${text}`)],
    ['something like a URL', nearUrl],
    ['a URL', fc.webUrl({ withFragments: true, withQueryParameters: true, validSchemes: ['http', 'https', 'ftp'] })],
  ])('that is accepted has one meaning for every parser: %s', (_name, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        if (issuesOf({ url: text }).length > 0) return;
        const url = new URL(text.trim());
        expect(['https:', 'http:']).toContain(url.protocol);
        expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
        expect(text.trim()).not.toMatch(/[\s\\#]/u);
        if (url.protocol === 'http:')
          expect(url.hostname).toMatch(/^(?:.*\.)?localhost$|^127\.|^\[::1\]$|^\[::ffff:7f/);
        // A naive parser finds the same host, apart from spelling.
        const [, authority = ''] = /^https?:\/\/([^/?]*)/i.exec(text.trim()) ?? [];
        expect(authority).not.toContain('@');
        expect(new URL(`${url.protocol}//${authority}`).host).toBe(url.host);
      }),
      { numRuns: 1_000 },
    );
  });
});

const FIELDS = [
  'displayName',
  'slug',
  'url',
  'iconUrl',
  'description',
  'oauth2ClientId',
  'oauth2AuthUrl',
  'oauth2TokenUrl',
  'oauth2Issuer',
  'oauth2Scopes',
  'apiKeyHeader',
  'apiKeyValue',
  'customHeaders',
  'toolDenyList',
  'authType',
  'enabled',
];

test('no input makes the rules themselves throw', () => {
  const anyInput = fc.record(
    {
      displayName: fc.option(anyText),
      slug: fc.option(anyText),
      url: fc.option(fc.oneof(anyText, nearUrl)),
      iconUrl: fc.option(fc.oneof(anyText, nearUrl)),
      oauth2Issuer: fc.option(fc.oneof(anyText, nearUrl)),
      description: fc.option(anyText),
      apiKeyHeader: fc.option(anyText),
      oauth2Scopes: fc.option(fc.array(anyText)),
      toolDenyList: fc.option(fc.array(anyText)),
      authType: fc.constantFrom('none', 'oauth2', 'api_key', 'custom_headers', null),
      enabled: fc.option(fc.boolean()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anyInput, (input) => {
      for (const { path, code, message } of issuesOf(input)) {
        expect(FIELDS).toContain(path[0]);
        expect([code, message]).toEqual([expect.stringMatching(/^[A-Z][A-Z0-9_]+$/), expect.stringMatching(/\.$/)]);
      }
    }),
    { numRuns: 1_000 },
  );
});
