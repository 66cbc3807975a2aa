import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const TEST = fileURLToPath(new URL('.', import.meta.url));

/** The layers of `src`, from the top to the bottom: a file may import from its own layer and from those below. */
const FLOORS: readonly (readonly string[])[] = [
  ['main'],
  ['cli'],
  ['gateway'],
  ['http'],
  ['graphql'],
  ['config'],
  ['domain'],
  ['data'],
  ['cache', 'crypto', 'outbound', 'policy', 'telemetry'],
  ['errors'],
];

const MAX_LINES = 400;
const MAX_MEDIAN_LINES = 90;

interface SourceFile {
  /** Path from `src` or `test`, with forward slashes. */
  name: string;
  text: string;
  lines: number;
}

async function readSources(root: string): Promise<SourceFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  return Promise.all(
    files.map(async (file) => {
      const location = path.join(file.parentPath, file.name);
      const text = await readFile(location, 'utf8');
      const name = path.relative(root, location).replaceAll(path.sep, '/');
      return { name, text, lines: text.split('\n').length - 1 };
    }),
  );
}

function isHandwritten({ name }: SourceFile): boolean {
  return !name.split('/').includes('generated');
}

const sources = await readSources(SRC);
const handwritten = sources.filter(isHandwritten);
const tests = (await readSources(TEST)).filter(isHandwritten);

/** The modules that a file imports or re-exports, types included. */
function listImports(text: string): string[] {
  const statements = /^\s*(?:import|export)\s(?:[^;'"]*?\sfrom\s*)?['"]([^'"]+)['"]/gm;
  const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(statements), ...text.matchAll(dynamic)].map(([, module = '']) => module);
}

/** The layer of a file in `src`: its folder, or its own name at the top level. */
function roomOf(name: string): string {
  const [first = ''] = name.split('/');
  return first.replace(/\.ts$/, '');
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** The file in `src` that a relative import refers to. */
function resolveImport(from: string, module: string): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(from), module));
}

describe('the layers', () => {
  test('are all listed', () => {
    const rooms = new Set(handwritten.map(({ name }) => roomOf(name)));
    expect([...rooms].filter((room) => floorOf(room) === -1)).toEqual([]);
  });

  test('import only from layers below', () => {
    const wrong: string[] = [];
    let count = 0;
    for (const { name, text } of handwritten) {
      for (const module of listImports(text).filter((each) => each.startsWith('.'))) {
        const target = resolveImport(name, module);
        const from = roomOf(name);
        const to = roomOf(target);
        count += 1;
        if (target.startsWith('..')) wrong.push(`${name} reaches outside of src: ${module}`);
        else if (from !== to && floorOf(to) <= floorOf(from))
          wrong.push(`${name} imports ${target}: ${from} may not know ${to}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(handwritten.length);
  });

  test('name the imported file with its extension', () => {
    const names = new Set(sources.map(({ name }) => name));
    const wrong = handwritten.flatMap(({ name, text }) =>
      listImports(text)
        .filter((module) => module.startsWith('.') && !names.has(resolveImport(name, module)))
        .map((module) => `${name}: ${module}`),
    );
    expect(wrong).toEqual([]);
  });

  test('errors.ts imports nothing', () => {
    expect(handwritten.filter(({ name }) => name === 'errors.ts').flatMap(({ text }) => listImports(text))).toEqual([]);
  });
});

describe('responsibilities of one layer', () => {
  const filesWith = (pattern: RegExp, files = handwritten) =>
    files.filter(({ text }) => pattern.test(text)).map(({ name }) => name);

  test('only config.ts reads the environment', () => {
    expect(filesWith(/\bprocess\s*(?:\.|\?\.)\s*env\b|\bprocess\s*\[|\benv\s*}\s*=\s*process\b/)).toEqual([
      'config.ts',
    ]);
    expect(filesWith(/import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*'node:process'/)).toEqual([]);
  });

  test('only data imports Prisma and database drivers', () => {
    const drivers = /^(?:@prisma\/|prisma$|pg$|@electric-sql\/|pglite-prisma-adapter)/;
    const knowing = handwritten.filter(({ name, text }) =>
      listImports(text).some(
        (module) => drivers.test(module) || resolveImport(name, module).startsWith('data/generated'),
      ),
    );
    expect(knowing).not.toEqual([]);
    expect(knowing.filter(({ name }) => roomOf(name) !== 'data')).toEqual([]);
  });

  test('only http and graphql import HTTP and GraphQL libraries', () => {
    const faces = /^(?:graphql|hono|@hono\/|@pothos\/|@envelop\/)/;
    const knowing = handwritten.filter(({ text }) => listImports(text).some((module) => faces.test(module)));
    const rooms = new Set(knowing.map(({ name }) => roomOf(name)));
    expect([...rooms].filter((room) => !['http', 'graphql', 'cli', 'main'].includes(room))).toEqual([]);
  });
});

describe('files', () => {
  test.each([
    ['src', handwritten],
    ['test', tests],
  ])('in %s stay short', (_root, files) => {
    const tooLong = files.filter(({ lines }) => lines > MAX_LINES).map(({ name, lines }) => `${name}: ${lines}`);
    expect(tooLong).toEqual([]);
  });

  test('in src are short in the median', () => {
    const lengths = handwritten.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(MAX_MEDIAN_LINES);
  });

  test('have descriptive kebab-case names', () => {
    const all = [...handwritten, ...tests].map(({ name }) => name);
    const notKebab = all.filter(
      (name) => !/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.d)?\.ts$/.test(name),
    );
    expect(notKebab).toEqual([]);
    const vague = all.filter((name) =>
      name.split(/[/.-]/).some((word) => /^(?:utils?|helpers?|common|misc|index)$/.test(word)),
    );
    expect(vague).toEqual([]);
  });

  test('do not re-export other modules', () => {
    const barrels = [...handwritten, ...tests].filter(({ text }) =>
      /^export\s[^;=]*?\sfrom\s+['"]|^export\s+\*/m.test(text),
    );
    expect(barrels.map(({ name }) => name)).toEqual([]);
  });
});

describe('docstrings', () => {
  /** Finds every export with the lines above it. A docstring ends directly above. */
  const undocumented = (kinds: string) =>
    handwritten.flatMap(({ name, text }) => {
      const lines = text.split('\n');
      return lines.flatMap((line, index) => {
        const [, exported] = new RegExp(`^export (?:${kinds}) (\\w+)`).exec(line) ?? [];
        if (exported === undefined) return [];
        // A biome suppression may stand between the docstring and the export.
        const above = lines
          .slice(0, index)
          .filter((each) => !each.startsWith('// biome-ignore'))
          .at(-1);
        return above?.trimEnd().endsWith('*/') === true ? [] : [`${name}: ${exported}`];
      });
    });

  test('are on every export', () => {
    expect(undocumented('(?:async )?function\\*?|(?:abstract )?class|const|interface|type')).toEqual([]);
  });
});
