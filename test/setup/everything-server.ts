import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { findFreePort } from './free-port.ts';

/** The reference server in a process of its own, on a loopback port. Close it. */
export interface EverythingServer {
  url: string;
  port: number;
  close(): Promise<void>;
}

/** The server ends with its standard input, that is, with this process, however that ends, and removes its folder. */
function endWithParent(folder: string | undefined): string {
  const remove = folder === undefined ? '' : `rmSync(${JSON.stringify(folder)},{recursive:true,force:true});`;
  const script = `import{rmSync}from"node:fs";process.stdin.on("end",()=>{${remove}process.exit()}).resume()`;
  return `data:text/javascript,${encodeURIComponent(script)}`;
}

/** Starts `server-everything`. */
export async function startEverythingServer(transport: 'streamable_http' | 'sse'): Promise<EverythingServer> {
  const port = await findFreePort();
  const { close } = await spawnEverythingServer(transport, String(port));
  return { url: `http://127.0.0.1:${port}/${transport === 'sse' ? 'sse' : 'mcp'}`, port, close };
}

/** Starts it at a port, or a socket in the file system. @param folder what is removed when this process ends */
export async function spawnEverythingServer(
  transport: 'streamable_http' | 'sse',
  port: string,
  folder?: string,
): Promise<{ ended: Promise<unknown>; close(): Promise<void> }> {
  const mode = transport === 'sse' ? 'sse' : 'streamableHttp';
  const child = spawn(process.execPath, ['--import', endWithParent(folder), await findEntry(), mode], {
    env: { PORT: port },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const exit = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill();
    await exit;
  };
  try {
    await waitUntilListening(child);
  } catch (error) {
    await close();
    throw error;
  }
  return { ended: exit, close };
}

async function findEntry(): Promise<string> {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('@modelcontextprotocol/server-everything/package.json');
  const { bin } = JSON.parse(await readFile(manifest, 'utf8')) as { bin: Record<string, string> };
  const entry = Object.values(bin)[0];
  if (entry === undefined) throw new Error('server-everything has no command any more');
  return path.join(path.dirname(manifest), entry);
}

function waitUntilListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (chunk: string): void => {
      said += chunk;
      if (!/listening|running on port/i.test(said)) return;
      child.stderr?.off('data', listen).resume();
      resolve();
    };
    child.stderr?.setEncoding('utf8').on('data', listen);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`server-everything ended with ${code}:\n${said}`)));
  });
}
