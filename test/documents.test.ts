import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

const documents = [
  ...readdirSync(ROOT),
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true }).map((name) => `docs/${name}`),
  ...readdirSync(path.join(ROOT, '.github'), { recursive: true }).map((name) => `.github/${name}`),
  'test/README.md',
].filter((name) => name.endsWith('.md'));

/** The anchors of a document's headings, as GitHub makes them. */
function listAnchors(file: string): string[] {
  return [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(documents)('every link in %s leads somewhere', (document) => {
  const links = [...read(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [target = '', anchor] = link.split('#');
    const file = target === '' ? document : path.posix.join(path.posix.dirname(document), target);
    if (!existsSync(path.join(ROOT, file))) return true;
    return anchor !== undefined && !listAnchors(file).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('the README has every command of package.json, and no other', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const rows = [...read('README.md').matchAll(/^\| `npm (?:run )?([a-z:]+)/gm)].map(([, name]) => name);
  expect(rows.sort()).toEqual(Object.keys(scripts).sort());
});
