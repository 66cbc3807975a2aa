import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The folders whose tests need a database. */
const WITH_DATABASE: readonly string[] = ['data', 'domain', 'field', 'graphql', 'http'];

/** A file of `faults` that begins like this runs after the others, alone: it measures times, or waits for nothing. */
const ALONE = /^\/\/ Alone: \S/;

const MARK = /^\/\/ (?:On (both databases|the embedded database)|(Only on) the embedded database): \S/;

/** A kind of database that tests run on. */
export type DatabaseKind = 'embedded' | 'server';

/** The test files of each project, as paths from the root of the repository. */
export type TestFiles = Record<
  | DatabaseKind
  | 'unit'
  | 'process'
  | 'contributing'
  | 'package'
  | 'faults'
  | 'faults-alone'
  | 'attacks'
  | 'conformance',
  string[]
>;

/**
 * Decides in which projects each test file runs. A test that needs a database runs once: on the server if there is one,
 * because that is faster. A file that has to run elsewhere says so, and why, in its first line:
 *
 * - `// On both databases: …` if what it shows depends on the database, e.g. on locks, notifications, or the driver.
 * - `// On the embedded database: …` if the server adds nothing, so that this database is tested with something of
 *   everything, too. Only for files that cost little: a gateway on it takes five times the processor time.
 * - `// Only on the embedded database: …` if it is about this one. Without it, the file does not run.
 *
 * @param available the databases of this run. A file that wants another one runs on one of these.
 */
export function assignTestFiles(available: readonly DatabaseKind[]): TestFiles {
  const files: TestFiles = {
    unit: [],
    process: [],
    contributing: [],
    package: [],
    faults: [],
    'faults-alone': [],
    attacks: [],
    conformance: [],
    embedded: [],
    server: [],
  };
  for (const file of listTestFiles()) {
    const folder = file.split('/')[1] ?? '';
    if (folder === 'cli') files.process.push(file);
    else if (folder === 'contributing') files.contributing.push(file);
    else if (folder === 'package') files.package.push(file);
    else if (folder === 'faults') files[isAlone(file) ? 'faults-alone' : 'faults'].push(file);
    else if (folder === 'attacks') files.attacks.push(file);
    else if (folder === 'conformance') files.conformance.push(file);
    else if (!WITH_DATABASE.includes(folder)) files.unit.push(file);
    else for (const database of databasesOf(file, available)) files[database].push(file);
  }
  return files;
}

/** Lists all test files, as paths from the root of the repository. */
export function listTestFiles(): string[] {
  return readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file.replaceAll(path.sep, '/')}`)
    .sort();
}

function databasesOf(file: string, available: readonly DatabaseKind[]): readonly DatabaseKind[] {
  const [, on, onlyOn] = MARK.exec(readTest(file)) ?? [];
  if (on === 'both databases') return available;
  const wanted = on === 'the embedded database' || onlyOn !== undefined ? 'embedded' : 'server';
  if (available.includes(wanted)) return [wanted];
  return onlyOn === undefined ? available.slice(0, 1) : [];
}

function isAlone(file: string): boolean {
  return ALONE.test(readTest(file));
}

function readTest(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
