import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { OPERATIONS } from '../../src/cli/operations.ts';
import { ConfigError, readConfig } from '../../src/config.ts';
import { findDocumentProblems } from '../../src/graphql/trusted-documents/document-problems.ts';
import { loadTrustedDocuments } from '../../src/graphql/trusted-documents/load-trusted-documents.ts';
import { CACHE_BOUNDS } from '../../src/limits/cache-bounds.ts';
import { hashOf, idOf } from '../graphql/document-requests.ts';

const root = mkdtempSync(path.join(tmpdir(), 'gatehouse-manifests-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const VIEWER = 'query Viewer { viewer { id } }';
const CHATS = 'query Chats { chats { totalCount } }';

let count = 0;
/** A new folder with these files. */
function makeFolder(files: Record<string, unknown>): string {
  count += 1;
  const folder = path.join(root, String(count));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

const load = (place: string) => loadTrustedDocuments(readConfig({ GATEHOUSE_TRUSTED_DOCUMENTS: place }));

/** The problems, without the folder in front of them. */
function problemsOf(place: string): string[] {
  try {
    load(place);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) expect(error.message).toContain(problem);
    return error.problems.map((it) => it.replace(`GATEHOUSE_TRUSTED_DOCUMENTS: ${place}`, '').replace(/^\/|^: /, ''));
  }
  return [];
}

test('a manifest is a file, or all that a folder has, also behind links as in a ConfigMap', () => {
  const folder = makeFolder({
    'a.json': { [idOf(VIEWER)]: VIEWER },
    'b.json': { [hashOf(CHATS)]: CHATS },
    'notes.md': '{',
  });
  mkdirSync(path.join(folder, '..data'));
  const linked = makeFolder({});
  symlinkSync(path.join(folder, 'a.json'), path.join(linked, 'a.json'));
  expect(load(path.join(folder, 'a.json')).byHash.get(hashOf(VIEWER))).toBe(VIEWER);
  expect(load(path.join(folder, 'a.json')).byHash.has(hashOf(CHATS))).toBe(false);
  expect(load(folder).byHash.get(hashOf(VIEWER))).toBe(VIEWER);
  expect(load(folder).byHash.get(hashOf(CHATS))).toBe(CHATS);
  expect(load(linked).byHash.get(hashOf(VIEWER))).toBe(VIEWER);
});

test('all problems of all manifests are told at once', () => {
  const unknownField = 'query { viewer { password } }';
  const removedType = 'query { gone { id } }';
  const deep = `query { viewer ${'{ createdBy '.repeat(20)}{ id }${' }'.repeat(20)} }`;
  const long = `query { viewer { id } } #${'x'.repeat(16 * 1_024)}`;
  const fragment = 'fragment F on User { id }';
  const sha1 = 'a'.repeat(40);
  const folder = makeFolder({
    'a.json': {
      [idOf(VIEWER)]: CHATS,
      [sha1]: VIEWER,
      nonsense: VIEWER,
      [hashOf(CHATS)]: 1,
      [idOf(VIEWER).toUpperCase()]: VIEWER,
    },
    'b.json': Object.fromEntries(
      [unknownField, removedType, 'query {', deep, long, fragment].map((it) => [idOf(it), it]),
    ),
    'c.json': '{',
    'd.json': [VIEWER],
  });
  const shown = (file: string, key: string) => `${file}.json: ${key}: `;
  const problems = problemsOf(folder);
  const begin = [
    `${shown('a', idOf(VIEWER))}is not the SHA-256 of this text.`,
    `${shown('a', sha1)}is a SHA-1. Write the manifest with \`hashAlgorithm: 'sha256'\``,
    `${shown('a', 'nonsense')}is not a SHA-256 in lower-case hex`,
    `${shown('a', hashOf(CHATS))}is not the text of a document.`,
    `${shown('a', idOf(VIEWER).toUpperCase())}`.slice(0, 60),
    'c.json: is not JSON.',
    'd.json: must be a JSON object',
    `${shown('b', idOf(unknownField))}Cannot query field "password" on type "User".`,
    `${shown('b', idOf(removedType))}Cannot query field "gone" on type "Query".`,
    `${shown('b', idOf('query {'))}Syntax Error`,
    `${shown('b', idOf(long))}has more than 16 KiB.`,
    `${shown('b', idOf(fragment))}has no operation.`,
  ];
  for (const text of begin)
    expect(
      problems.filter((it) => it.startsWith(text)),
      text,
    ).toHaveLength(1);
  expect(problems.filter((it) => it.startsWith(shown('b', idOf(deep)))).join()).toMatch(/depth/i);
});

test.each([
  ['a place where nothing is', () => path.join(root, 'missing'), /cannot be read \(ENOENT\)/],
  ['a folder without a manifest', () => makeFolder({ 'notes.md': '' }), /no file whose name ends in \.json/],
  ['a file that is too large', () => makeFolder({ 'a.json': `{}${' '.repeat(17_000_000)}` }), /has more than 16 MB/],
  [
    'too many documents',
    () => {
      const texts = Array.from(
        { length: CACHE_BOUNDS.trustedDocuments.maxEntries + 1 },
        (_, it) => `{ viewer { id } } #${it}`,
      );
      return makeFolder({ 'a.json': Object.fromEntries(texts.map((it) => [idOf(it), it])) });
    },
    /has more than 5000 documents/,
  ],
])('%s stops the start', (_name, place, problem) => {
  expect(problemsOf(place())).toEqual([expect.stringMatching(problem)]);
});

test('the operations of the commands can be trusted, and all are valid', () => {
  const texts = Object.values(OPERATIONS);
  for (const text of texts) expect([text, findDocumentProblems(text)]).toEqual([text, []]);
  const { byHash } = loadTrustedDocuments(readConfig({}), texts);
  expect(texts.filter((text) => byHash.get(hashOf(text)) !== text)).toEqual([]);
});

test('without a manifest, nothing of an operator is trusted', () => {
  expect(loadTrustedDocuments(readConfig({})).byHash.has(hashOf(VIEWER))).toBe(false);
});
