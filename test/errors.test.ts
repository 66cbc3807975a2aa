import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readSources } from '../scripts/source-files.ts';
import { ERROR_CODES } from '../src/errors.ts';
import { statusOfCode } from '../src/http/problem.ts';

const [errors = '', issues = ''] = (await readFile(new URL('../docs/errors.md', import.meta.url), 'utf8')).split(
  '## Codes of validation issues',
);

const sources = await readSources(fileURLToPath(new URL('../src', import.meta.url)));
const source = sources.map(({ text }) => text).join('\n');

/** Codes that no caller gets: one of Node, and one of Yoga that becomes VALIDATION_FAILED. */
const FOREIGN = ['ETIMEDOUT', 'BAD_REQUEST'];

describe('docs/errors.md', () => {
  test('has every error code with its REST status, and no other', () => {
    const rows = [...errors.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(rows).toEqual(ERROR_CODES.map((code) => [code, statusOfCode(code)]));
  });

  test('has every code of a validation issue, and no other', () => {
    const documented = [...issues.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => code),
    );
    expect(documented).toEqual([...new Set(documented)]);
    const added = [...source.matchAll(/\.add\(\s*(?:\[[^\]]*\]|[\w.]+),\s*'([A-Z_]{4,})'/g)];
    const named = [...source.matchAll(/\bcode: '([A-Z_]{4,})'/g)];
    const used = new Set([...added, ...named].map(([, code = '']) => code));
    const known: readonly string[] = [...documented, ...ERROR_CODES, ...FOREIGN];
    expect([...used].filter((code) => !known.includes(code))).toEqual([]);
    expect(documented.filter((code) => !source.includes(`'${code}'`))).toEqual([]);
  });
});
