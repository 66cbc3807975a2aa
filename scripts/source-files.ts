import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** A TypeScript file. */
export interface SourceFile {
  /** The path from the folder that was read, with forward slashes. */
  name: string;
  text: string;
  lines: number;
}

/** Reads all handwritten TypeScript files of a folder. A folder that does not exist has none. */
export async function readSources(root: string): Promise<SourceFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
  return Promise.all(
    names.filter(isHandwritten).map(async (name) => {
      const text = await readFile(path.join(root, name), 'utf8');
      return { name, text, lines: text.split('\n').length - 1 };
    }),
  );
}

function isHandwritten(name: string): boolean {
  const steps = name.split('/');
  return /\.tsx?$/.test(name) && !['generated', 'node_modules', 'dist'].some((folder) => steps.includes(folder));
}

/** The modules that a file imports or re-exports, types included. */
export function listImports(text: string): string[] {
  const statements = /^\s*(?:import|export)\s(?:[^;'"]*?\sfrom\s*)?['"]([^'"]+)['"]/gm;
  const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(statements), ...text.matchAll(dynamic)].map(([, module = '']) => module);
}

/** The file that a relative import refers to. It starts with `..` if it is outside of the folder that was read. */
export function resolveImport(from: string, module: string): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(from), module));
}

/** The import circles: each is a list of files that import each other, directly or through others in the list. */
export function findCircles(files: readonly SourceFile[]): string[][] {
  const imports = new Map(files.map(({ name, text }) => [name, listRelativeImports(name, text)]));
  const reached = new Map(files.map(({ name }) => [name, reach(name, imports)]));
  const circles = new Map<string, string[]>();
  for (const { name } of files) {
    const circle = files
      .map((other) => other.name)
      .filter((other) => reached.get(name)?.has(other) && reached.get(other)?.has(name));
    if (circle.length > 0) circles.set(circle.sort().join(' '), circle);
  }
  return [...circles.values()];
}

function listRelativeImports(from: string, text: string): string[] {
  return listImports(text)
    .filter((module) => module.startsWith('.'))
    .map((module) => resolveImport(from, module));
}

/** All files that can be reached over imports. The file itself is among them only if it is in a circle. */
function reach(start: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const next of imports.get(name) ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return found;
}

/** The exports without a docstring directly above, as `file: name`. */
export function listUndocumentedExports(files: readonly SourceFile[]): string[] {
  const pattern = /^export (?:(?:async )?function\*?|(?:abstract )?class|const|interface|type) (\w+)/;
  return files.flatMap(({ name, text }) => {
    const lines = text.split('\n');
    return lines.flatMap((line, index) => {
      const [, exported] = pattern.exec(line) ?? [];
      if (exported === undefined) return [];
      // A biome suppression may stand between the docstring and the export.
      const above = lines
        .slice(0, index)
        .filter((each) => !each.startsWith('// biome-ignore'))
        .at(-1);
      return above?.trimEnd().endsWith('*/') === true ? [] : [`${name}: ${exported}`];
    });
  });
}
