import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { listImports, readSources, resolveImport, type SourceFile } from '../scripts/source-files.ts';
import { listWorkspaces } from '../scripts/workspaces.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

async function readPackageName(folder: string): Promise<string> {
  const text = await readFile(path.join(ROOT, folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { name: string }).name;
}

/** The imports that leave the folder, or name one of the packages. */
function listCrossings(files: readonly SourceFile[], packages: readonly string[]): string[] {
  return files.flatMap(({ name, text }) =>
    listImports(text)
      .filter((module) => {
        if (module.startsWith('.')) return resolveImport(name, module).startsWith('..');
        return packages.some((each) => module === each || module.startsWith(`${each}/`));
      })
      .map((module) => `${name}: ${module}`),
  );
}

const gateway = await readPackageName('.');
const workspaces = listWorkspaces(ROOT);
const packages = await Promise.all(workspaces.map(readPackageName));

describe('the gateway and the packages beside it', () => {
  test('src imports no package', async () => {
    const sources = await readSources(path.join(ROOT, 'src'));
    expect(sources.length).toBeGreaterThan(100);
    expect(listCrossings(sources, packages)).toEqual([]);
  });

  // The gateway's own folder shows that the rule runs while there are no packages.
  test.each([...workspaces, 'src'])(
    '%s imports nothing of the gateway, and other packages only by name',
    async (folder) => {
      expect(listCrossings(await readSources(path.join(ROOT, folder)), [gateway])).toEqual([]);
    },
  );

  test.each([
    ["import { DomainError } from '../../../src/errors.ts';", true],
    ["import type { Role } from '../../../src/policy/viewer.ts';", true],
    ["const { Role } = await import('../../../src/policy/viewer.ts');", true],
    ["import { follow } from '../../other/src/follow.ts';", true],
    ["import { createGateway } from 'gatehouse/dist/gateway.js';", true],
    ["import { createGateway } from 'gatehouse';", true],
    ["import { retry } from './retry.ts';", false],
    ["import { retry } from 'gatehouse-retry';", false],
    ["import { createClient } from 'graphql-ws';", false],
  ])('%s in a package: refused is %s', (text, isRefused) => {
    const file = { name: 'src/client.ts', text, lines: 1 };
    expect(listCrossings([file], ['gatehouse'])).toHaveLength(isRefused ? 1 : 0);
  });
});

describe('files of packages', () => {
  test.each(['src', ...workspaces])('in %s are short and have kebab-case names', async (folder) => {
    const files = await readSources(path.join(ROOT, folder));
    const wrong = files.filter(({ name, lines }) => lines > 400 || !/^[a-z0-9./-]+$/.test(name));
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});

test('only folders with a package.json are workspaces', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'workspaces-'));
  try {
    const { workspaces: patterns } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
    await writeFile(path.join(root, 'package.json'), JSON.stringify({ workspaces: patterns }));
    expect(listWorkspaces(root)).toEqual([]);
    for (const folder of ['packages/client', 'packages/notes', 'console']) {
      await mkdir(path.join(root, folder), { recursive: true });
      if (folder !== 'packages/notes') await writeFile(path.join(root, folder, 'package.json'), '{}');
    }
    expect(listWorkspaces(root)).toEqual(['packages/client', 'console']);
  } finally {
    await rm(root, { recursive: true });
  }
});
