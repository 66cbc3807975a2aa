import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LICENSES } from '../scripts/bundled-packages.ts';

/** What package-lock.json says about one installed package. */
interface LockedPackage {
  version: string;
  license?: string;
  /** Only development needs it. */
  dev?: boolean;
  /** Development needs it, and it is an optional peer of a production package: production installs it, too. */
  devOptional?: boolean;
  hasInstallScript?: boolean;
  /** A workspace of this repository. */
  link?: boolean;
}

const MAX_PRODUCTION_PACKAGES = 20;

const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
  readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'),
);
const locked = Object.entries(lock.packages).filter(
  ([location, { link }]) => location.includes('node_modules/') && link !== true,
);
const production = locked.filter(([, { dev }]) => dev !== true);

const namesOf = (packages: typeof locked): string[] => packages.map(([location]) => location);

test('a production install brings only what production needs', () => {
  expect(namesOf(locked.filter(([, { devOptional }]) => devOptional === true))).toEqual([]);
  expect(namesOf(production)).toContain('node_modules/pino');
  expect(production.length).toBeLessThanOrEqual(MAX_PRODUCTION_PACKAGES);
});

test('no production package runs a script when it is installed', () => {
  expect(locked.some(([, { hasInstallScript }]) => hasInstallScript === true)).toBe(true);
  expect(namesOf(production.filter(([, { hasInstallScript }]) => hasInstallScript === true))).toEqual([]);
});

test('each production package has a license that lets everyone use it', () => {
  const others = production.filter(([, { license = 'none' }]) => !LICENSES.includes(license));
  expect(others.map(([location, { license }]) => `${location}: ${license}`)).toEqual([]);
});
