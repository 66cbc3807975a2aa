import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assignTestFiles, type DatabaseKind, listTestFiles } from './setup/test-files.ts';

const WITH_BOTH: readonly DatabaseKind[] = ['embedded', 'server'];

describe.each<{ databases: readonly DatabaseKind[] }>([
  { databases: WITH_BOTH },
  { databases: ['embedded'] },
  { databases: ['server'] },
])('with the databases $databases', ({ databases }) => {
  const files = assignTestFiles(databases);

  test('each test file runs in a project, but for those about a database that is missing', () => {
    const left = databases.includes('embedded') ? [] : ['test/data/embedded-database.test.ts'];
    expect([...new Set(Object.values(files).flat()), ...left].sort()).toEqual(listTestFiles());
  });

  test('a test file runs twice only to use both databases', () => {
    const { embedded, server, ...others } = files;
    const once = Object.values(others).flat();
    expect(once).toHaveLength(new Set(once).size);
    expect([...embedded, ...server].filter((file) => once.includes(file))).toEqual([]);
    expect(embedded.length > 0).toBe(databases.includes('embedded'));
    expect(server.length > 0).toBe(databases.includes('server'));
  });
});

test('with both databases, the first line of a file decides', () => {
  const { embedded, server } = assignTestFiles(WITH_BOTH);
  expect(embedded).toContain('test/data/memory.test.ts');
  expect(server).toContain('test/data/memory.test.ts');
  expect(embedded).toContain('test/http/playground-examples.test.ts');
  expect(server).not.toContain('test/http/playground-examples.test.ts');
  expect(embedded).not.toContain('test/graphql/chats.test.ts');
  expect(server).toContain('test/graphql/chats.test.ts');
});

test('a first line about databases is one of those that are understood', () => {
  const { embedded, server } = assignTestFiles(WITH_BOTH);
  const unclear = listTestFiles()
    .map((file) => ({ file, line: readFileSync(new URL(`../${file}`, import.meta.url), 'utf8').split('\n')[0] ?? '' }))
    .filter(({ line }) => /^\/\/.*\b(?:on|databases?)\b/i.test(line))
    .filter(({ file, line }) => {
      const kinds = WITH_BOTH.filter((kind) => ({ embedded, server })[kind].includes(file)).join(' and ');
      const expected = {
        'embedded and server': /^\/\/ On both databases: /,
        embedded: /^\/\/ (?:On|Only on) the embedded database: /,
      }[kinds];
      return expected?.test(line) !== true;
    });
  expect(unclear).toEqual([]);
});
