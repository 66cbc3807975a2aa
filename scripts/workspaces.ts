import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The folders of the npm workspaces that exist, such as `packages/client`. The patterns in package.json are a folder, or
 * a folder and `/*`.
 */
export function listWorkspaces(root: string): string[] {
  const packageJson: { workspaces: string[] } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return packageJson.workspaces
    .flatMap((pattern) => (pattern.endsWith('/*') ? listFolders(root, pattern.slice(0, -2)) : [pattern]))
    .filter((folder) => existsSync(path.join(root, folder, 'package.json')));
}

function listFolders(root: string, parent: string): string[] {
  const location = path.join(root, parent);
  return existsSync(location) ? readdirSync(location).map((name) => `${parent}/${name}`) : [];
}
