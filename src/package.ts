import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
// The package finds itself by its name: the code that runs lies in `src`, or in a chunk of the bundle.
const file = require.resolve('mcp-gatehouse/package.json');

/** The folder of the package: that of the repository, or the one that npm installed. */
export const PACKAGE_FOLDER: URL = new URL('.', pathToFileURL(file));

/** The version of this build. */
export const VERSION: string = (require(file) as { version: string }).version;
