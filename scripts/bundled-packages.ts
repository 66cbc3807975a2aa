import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A package of which the bundle has code. */
export interface BundledPackage {
  name: string;
  version: string;
  /** The SPDX id. */
  license: string;
  /** The license and the notices that the package has with it. */
  texts: string[];
}

/** Licenses that let anyone use and distribute the package, and ask only for their notice. */
export const LICENSES: readonly string[] = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

const TEXT_FILE = /^(?:licen[cs]e|copying|notice)/i;

/** Finds the packages of modules of the bundle, by name. */
export function readBundledPackages(modules: readonly string[]): BundledPackage[] {
  const folders = new Set(modules.filter((id) => id.includes('/node_modules/')).map(findFolder));
  return [...folders]
    .map(readPackage)
    .sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
}

/** The license texts, for people. */
export function toLicenseTexts(packages: readonly BundledPackage[]): string {
  const parts = packages.map(
    ({ name, version, license, texts }) => `${name} ${version} (${license})\n\n${texts.join('\n\n')}`,
  );
  const head = 'The program contains code of these packages. Each is under its own license.';
  return `${[head, ...parts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** A software bill of materials (CycloneDX), for scanners. */
export function toSbom(packages: readonly BundledPackage[]): string {
  const components = packages.map(({ name, version, license }) => ({
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licenses: [{ license: { id: license } }],
  }));
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components }, undefined, 1)}\n`;
}

/** The folder below the last `node_modules`. Packages with the code of others name it in a `package.json` there. */
function findFolder(id: string): string {
  const [, folder] = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(id) ?? [];
  if (folder === undefined) throw new Error(`No package has the module ${id}.`);
  return folder;
}

function readPackage(folder: string): BundledPackage {
  const { name, version, license, author, repository } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  if (!LICENSES.includes(license)) throw new Error(`${name} cannot be bundled: its license is ${license}.`);
  const files = readdirSync(folder)
    .filter((file) => TEXT_FILE.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(path.join(folder, file), 'utf8').trim());
  if (texts.length > 0) return { name, version, license, texts };
  // Some packages only name their license and their author.
  const by = [author?.name ?? author, repository?.url ?? repository].filter((each) => each !== undefined).join(', ');
  return { name, version, license, texts: [`By ${by}. The package has no text of its license.`] };
}
