import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProgram } from './npm.ts';

const packageJson: { engines: { node: string } } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

/** The major versions of Node that package.json names, e.g. 20. */
export const NODE_MAJORS: readonly number[] = [...packageJson.engines.node.matchAll(/(\d+)(?:\.\d+)*/g)].map((match) =>
  Number(match[1]),
);

/**
 * Finds the folder of a `node` of this major version: the running one, or one that npm downloads.
 *
 * @param folder where a download goes
 * @returns undefined if npm cannot download one for this machine
 */
export async function findNode(major: number, folder: string): Promise<string | undefined> {
  const running = path.dirname(process.execPath);
  if (process.version.startsWith(`v${major}.`)) return running;
  const name = `node-${process.platform}-${process.arch}`;
  const place = path.join(folder, `node-${major}`);
  await mkdir(place);
  await writeFile(path.join(place, 'package.json'), '{}');
  const { code } = await runProgram('npm', ['install', '--ignore-scripts', `${name}@${major}`], {
    cwd: place,
    nodeFolder: running,
  });
  return code === 0 ? path.join(place, 'node_modules', name, 'bin') : undefined;
}
