import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PACKAGE_FOLDER } from '../../package.ts';
import { findPageFiles, type PageFiles } from './page-files.ts';

/** The folder that `npm run build` fills. */
const FOLDER = new URL('dist/console/', PACKAGE_FOLDER);

const CONTENT_TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml; charset=utf-8',
} as const;

/** A file of the console, in each coding. */
export interface ConsoleFile {
  contentType: string;
  plain: Uint8Array<ArrayBuffer>;
  br: Uint8Array<ArrayBuffer>;
  gzip: Uint8Array<ArrayBuffer>;
}

/** The built console. */
export interface ConsoleFiles {
  /** The page that starts the console, whatever its path is. */
  page: ConsoleFile;
  /** All other files by name. Each name has a hash of the content. */
  assets: ReadonlyMap<string, ConsoleFile>;
  /** Where those are that the other pages of the gateway load. */
  pageFiles: PageFiles;
}

/**
 * Reads the built console, about a megabyte.
 *
 * @throws {Error} if it is not built
 */
export function readConsoleFiles(): ConsoleFiles {
  const manifest = new URL('manifest.json', FOLDER);
  if (!existsSync(manifest)) throw new Error('The console is not built. Run "npm run build".');
  const names = readdirSync(fileURLToPath(new URL('assets/', FOLDER))).filter((name) => !/\.(?:br|gz)$/.test(name));
  return {
    page: readFile('index.html'),
    assets: new Map(names.map((name) => [name, readFile(`assets/${name}`)])),
    pageFiles: findPageFiles(readFileSync(manifest, 'utf8')),
  };
}

function readFile(name: string): ConsoleFile {
  const read = (suffix: string): Uint8Array<ArrayBuffer> =>
    new Uint8Array(readFileSync(new URL(`${name}${suffix}`, FOLDER)));
  const extension = name.slice(name.lastIndexOf('.') + 1);
  if (!isKnownType(extension)) throw new Error(`The console has a file of an unknown type: ${name}.`);
  return { contentType: CONTENT_TYPES[extension], plain: read(''), br: read('.br'), gzip: read('.gz') };
}

function isKnownType(extension: string): extension is keyof typeof CONTENT_TYPES {
  return Object.hasOwn(CONTENT_TYPES, extension);
}
