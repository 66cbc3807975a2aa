import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  findCircles,
  listImports,
  listUndocumentedExports,
  readSources,
  resolveImport,
  type SourceFile,
} from '../scripts/source-files.ts';

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
  ['mcp'],
  ['crypto', 'outbound', 'policy', 'telemetry'],
  ['cache'],
  ['errors', 'limits', 'package'],
];

const MAX_LINES = 400;
const MAX_MEDIAN_LINES = 90;

const sources = await readSources(SRC);
const tests = await readSources(TEST);

/** The layer of a file in `src`: its folder, or its own name at the top level. */
function roomOf(name: string): string {
  const [first = ''] = name.split('/');
  return first.replace(/\.ts$/, '');
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

describe('the layers', () => {
  test('are all listed', () => {
    const rooms = new Set(sources.map(({ name }) => roomOf(name)));
    expect([...rooms].filter((room) => floorOf(room) === -1)).toEqual([]);
  });

  test('import only from layers below', () => {
    const wrong: string[] = [];
    let count = 0;
    for (const { name, text } of sources) {
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
    expect(count).toBeGreaterThan(sources.length);
  });

  test('name the imported file with its extension', () => {
    const names = new Set(sources.map(({ name }) => name));
    const isFile = (name: string) => names.has(name) || /^data\/generated\/.*\.ts$/.test(name);
    const wrong = sources.flatMap(({ name, text }) =>
      listImports(text)
        .filter((module) => module.startsWith('.') && !isFile(resolveImport(name, module)))
        .map((module) => `${name}: ${module}`),
    );
    expect(wrong).toEqual([]);
  });

  test('errors.ts imports nothing', () => {
    expect(sources.filter(({ name }) => name === 'errors.ts').flatMap(({ text }) => listImports(text))).toEqual([]);
  });
});

describe('import circles', () => {
  test.each([
    ['src', sources],
    ['test', tests],
  ])('do not exist in %s, also not between types', (_root, files) => {
    expect(findCircles(files)).toEqual([]);
  });

  test('are found, whichever file they start in and however the files import each other', () => {
    const file = (name: string, text: string): SourceFile => ({ name, text, lines: 1 });
    const files = [
      file('a.ts', "import { one } from './rooms/b.ts';\nimport path from 'node:path';"),
      file('rooms/b.ts', "import type {\n  Two,\n} from '../c.ts';"),
      file('c.ts', "const a = await import('./a.ts');"),
      file('d.ts', "import './a.ts';"),
      file('e.ts', "import { e } from './e.ts';"),
    ];
    expect(findCircles(files)).toEqual([['a.ts', 'c.ts', 'rooms/b.ts'], ['e.ts']]);
  });
});

describe('responsibilities of one layer', () => {
  const filesWith = (pattern: RegExp, files = sources) =>
    files.filter(({ text }) => pattern.test(text)).map(({ name }) => name);

  test('only config.ts reads the environment', () => {
    expect(filesWith(/\bprocess\s*(?:\.|\?\.)\s*env\b|\bprocess\s*\[|\benv\s*}\s*=\s*process\b/)).toEqual([
      'config.ts',
    ]);
    expect(filesWith(/import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*'node:process'/)).toEqual([]);
  });

  test('only data imports Prisma and database drivers', () => {
    const drivers = /^(?:@prisma\/|prisma$|pg$|@electric-sql\/|pglite-prisma-adapter)/;
    const knowing = sources.filter(({ name, text }) =>
      listImports(text).some(
        (module) => drivers.test(module) || resolveImport(name, module).startsWith('data/generated'),
      ),
    );
    expect(knowing).not.toEqual([]);
    expect(knowing.filter(({ name }) => roomOf(name) !== 'data')).toEqual([]);
  });

  test.each([
    ['the command line', 'main.ts'],
    ['a start, before its database is open,', 'cli/serve.ts'],
    ['a key command', 'cli/keys.ts'],
    ['a check of the audit log', 'cli/audit.ts'],
  ])('%s does not load the gateway or the database client before it needs them', (_who, first) => {
    const loaded = new Set<string>();
    const load = (name: string): void => {
      if (loaded.has(name)) return;
      loaded.add(name);
      const text = sources.find((source) => source.name === name)?.text ?? '';
      const statements = /^import\s(?!type\s)[^;'"]*?\sfrom\s*'(\.[^']+)'/gm;
      for (const [, module = ''] of text.matchAll(statements)) load(resolveImport(name, module));
    };
    load(first);
    expect(loaded).toContain('cli/failure.ts');
    const needless = [...loaded].filter((name) => /^gateway\.ts$|^data\/(?:generated|repositories)\//.test(name));
    expect(needless).toEqual([]);
  });

  test('only a file that is loaded for tracing alone imports OpenTelemetry', () => {
    const knowing = sources.filter(({ text }) => listImports(text).some((module) => /^@opentelemetry/.test(module)));
    expect(knowing.map(({ name }) => name)).toEqual(['telemetry/open-telemetry.ts']);
    const loading = filesWith(/open-telemetry\.ts'/);
    expect(loading).toEqual(['cli/serve.ts']);
    expect(filesWith(/await import\('\.\.\/telemetry\/open-telemetry\.ts'\)/)).toEqual(loading);
  });

  test('only http and graphql import HTTP and GraphQL libraries', () => {
    const faces = /^(?:graphql|hono|@hono\/|@pothos\/|@envelop\/)/;
    const knowing = sources.filter(({ text }) => listImports(text).some((module) => faces.test(module)));
    const rooms = new Set(knowing.map(({ name }) => roomOf(name)));
    expect([...rooms].filter((room) => !['http', 'graphql', 'cli', 'main'].includes(room))).toEqual([]);
  });
});

describe('files', () => {
  test.each([
    ['src', sources],
    ['test', tests],
  ])('in %s stay short', (_root, files) => {
    const tooLong = files.filter(({ lines }) => lines > MAX_LINES).map(({ name, lines }) => `${name}: ${lines}`);
    expect(tooLong).toEqual([]);
  });

  test('in src are short in the median', () => {
    const lengths = sources.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(MAX_MEDIAN_LINES);
  });

  test('have descriptive kebab-case names', () => {
    const all = [...sources, ...tests].map(({ name }) => name);
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
    const barrels = [...sources, ...tests].filter(({ text }) =>
      /^export\s[^;=]*?\sfrom\s+['"]|^export\s+\*/m.test(text),
    );
    expect(barrels.map(({ name }) => name)).toEqual([]);
  });
});

describe('docstrings', () => {
  test('are on every export', () => {
    expect(listUndocumentedExports(sources)).toEqual([]);
  });
});
