import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toFittingName, toShownName } from '../../src/domain/catalogue/shown-name.ts';
import { toSkeleton } from '../../src/domain/catalogue/skeleton.ts';
import { toToolChange } from '../../src/domain/catalogue/tool-change.ts';
import { digestTool, readTools, type ToolDefinition } from '../../src/domain/catalogue/tool-definition.ts';
import { findWarnings } from '../../src/domain/catalogue/tool-warnings.ts';
import { rawTool } from './tool-rows.ts';

const tool = (name: string, more: object = {}) => rawTool(name, more) as ToolDefinition;

describe('the digest', () => {
  test('is SHA-256 over canonical JSON (RFC 8785)', () => {
    const canonical =
      '{"annotations":{"readOnlyHint":true},"description":"Ü","inputSchema":{"type":"object"},"name":"a","title":"A"}';
    const definition = {
      title: 'A',
      name: 'a',
      inputSchema: { type: 'object' },
      annotations: { readOnlyHint: true },
      description: 'Ü',
    };
    expect(digestTool(definition)).toBe(createHash('sha256').update(canonical).digest('hex'));
  });

  test.each([
    ['name', { name: 'b' }],
    ['title', { title: 'A' }],
    ['description, by one invisible character', { description: 'Does a.\u200b' }],
    ['input schema', { inputSchema: { type: 'object', additionalProperties: false } }],
    ['output schema', { outputSchema: { type: 'object' } }],
    ['annotations', { annotations: { destructiveHint: false } }],
  ])('changes with the %s', (_part, more) => {
    expect(digestTool(tool('a', more))).not.toBe(digestTool(tool('a')));
  });

  test.each([
    ['_meta', { _meta: { a: 1 } }],
    ['icons', { icons: [{ src: 'https://example.com/a.png' }] }],
    ['the order of keys', { inputSchema: { type: 'object' }, description: 'Does a.', name: 'a' }],
  ])('does not change with %s', (_part, more) => {
    expect(digestTool(tool('a', more))).toBe(digestTool(tool('a')));
  });
});

describe('reading a list', () => {
  test('leaves out what cannot be called, and says why', () => {
    const { tools, leftOut } = readTools([
      tool('good'),
      'text',
      null,
      tool(' '),
      tool('a\0b'),
      tool('x'.repeat(129)),
      tool('x'.repeat(128)),
      { name: 'no schema' },
      { name: 'list', inputSchema: [] },
      tool('good', { description: 'Another.' }),
      tool('odd name\n'),
    ]);
    expect(tools.map(({ name }) => name)).toEqual(['good', 'x'.repeat(128), 'odd name\n']);
    expect(leftOut).toEqual([
      ...['INVALID_NAME', 'INVALID_NAME', 'INVALID_NAME', 'INVALID_NAME'],
      ...['NAME_TOO_LONG', 'INVALID_SCHEMA', 'INVALID_SCHEMA', 'DUPLICATE_NAME'],
    ]);
    expect(tools[0]?.definition).toContain('Does good.');
  });
});

describe('the name that models see', () => {
  test.each([
    ['github', 'create_issue', 'github__create_issue'],
    ['a', 'with space', expect.stringMatching(/^a__with_space_[0-9a-f]{10}$/)],
    ['a', 'x'.repeat(128), expect.stringMatching(/^a__x{50}_[0-9a-f]{10}$/)],
    ['a', 'looks_changed_0123456789', expect.stringMatching(/^a__looks_changed_0123456789_[0-9a-f]{10}$/)],
  ])('of %s and %s', (slug, name, shown) => {
    expect(toShownName(slug, name)).toEqual(shown);
  });

  test('fits, is always the same, and is never shared by two tools', () => {
    const names = fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[a-z_0-9]{1,70}$/)).filter(Boolean);
    fc.assert(
      fc.property(names, names, (a, b) => {
        const [shown, other] = [toFittingName(`s__${a}`), toFittingName(`s__${b}`)];
        expect(shown).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
        expect(toFittingName(`s__${a}`)).toBe(shown);
        expect(shown === other).toBe(a === b);
        const again = toFittingName(shown);
        if (shown !== `s__${a}`) expect(again).not.toBe(shown);
      }),
    );
  });
});

describe('warnings', () => {
  test.each([
    ['nothing odd', tool('a', { description: 'Line one.\n\tLine two. 👩‍👩‍👧 ❤️ Ünïcödé 日本語' }), []],
    ['a zero-width space', tool('a', { description: 'Does\u200b a.' }), ['INVISIBLE_CHARACTERS']],
    ['tag characters', tool('a', { description: 'Hi\u{e0049}\u{e0067}' }), ['INVISIBLE_CHARACTERS']],
    ['a control in a title', tool('a', { title: 'A\u0007' }), ['INVISIBLE_CHARACTERS']],
    ['a joiner outside of emoji', tool('a', { description: 'pass\u200dword' }), ['INVISIBLE_CHARACTERS']],
    [
      'a bidirectional override deep in a schema',
      tool('a', { inputSchema: { type: 'object', properties: { b: { enum: ['\u202ex'] } } } }),
      ['INVISIBLE_CHARACTERS', 'BIDI_CONTROLS'],
    ],
    [
      'a name of a property',
      tool('a', { inputSchema: { type: 'object', properties: { 'b\u2060': {} } } }),
      ['INVISIBLE_CHARACTERS'],
    ],
    [
      'a reference to the network',
      tool('a', { inputSchema: { type: 'object', $ref: 'https://evil.example/s.json' } }),
      ['REMOTE_REFERENCE'],
    ],
    ['a reference within', tool('a', { inputSchema: { type: 'object', $ref: '#/$defs/a', $defs: { a: {} } } }), []],
    ['what no approval covers', tool('a', { _meta: { note: '\u200b' } }), []],
  ])('for %s', (_what, definition, warnings) => {
    expect(findWarnings(definition)).toEqual(warnings);
  });

  test('know names that look alike', () => {
    expect(toSkeleton('seаrch')).toBe(toSkeleton('search'));
    expect(toSkeleton('Get-Modal')).toBe(toSkeleton('get_rnodal'));
    expect(toSkeleton('list1')).toBe(toSkeleton('listl'));
    expect(toSkeleton('create')).not.toBe(toSkeleton('delete'));
  });
});

describe('a change', () => {
  test('is told word by word and field by field', () => {
    const before = tool('a', { inputSchema: { type: 'object', properties: { p: { type: 'string' }, q: {} } } });
    const after = tool('a', {
      description: 'Does all\u200b.',
      inputSchema: { type: 'object', properties: { p: { type: 'number' } }, required: ['p'] },
    });
    const change = toToolChange(before, after);
    expect(change.fields).toEqual([
      { path: 'inputSchema.properties.p.type', before: 'string', after: 'number' },
      { path: 'inputSchema.properties.q', before: {}, after: undefined },
      { path: 'inputSchema.required', before: undefined, after: ['p'] },
    ]);
    expect(change.description.filter(({ kind }) => kind !== 'same')).toEqual([
      { kind: 'removed', text: 'a' },
      { kind: 'added', text: 'all\\u{200b}' },
    ]);
  });

  test('of thousands of words or fields stays short', () => {
    const many = (count: number, value: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, value]));
    const words = (seed: number) => Array.from({ length: 20_000 }, (_, index) => `${(index * seed) % 7919}`).join(' ');
    const before = tool('a', { description: words(3), inputSchema: many(5_000, 'a') });
    const after = tool('a', { description: words(7), inputSchema: many(5_000, 'b') });
    const change = toToolChange(before, after);
    expect(change.fields).toHaveLength(200);
    expect(change.hasMore).toBe(true);
    expect(change.description.map(({ kind }) => kind)).toEqual(['removed', 'added']);
  });
});
