import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findFreePort, makeFolder, type RunningCommand, startCommand } from '../setup/process.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/mirror.ts', import.meta.url));
const ADMIN_TOKEN = 'the-token-of-the-bootstrap-admin';

interface Mirror {
  /** Resolves once the process has printed this many matching lines. */
  printed(line: string, times?: number): Promise<void>;
  output(): string;
  exit: Promise<number | null>;
  stop(): void;
}

function startMirror(url: string, token: string): Mirror {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), EXAMPLE, url, token]);
  let text = '';
  let look: (() => void) | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      look?.();
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    exit,
    output: () => text,
    stop: () => child.kill('SIGKILL'),
    printed: (line, times = 1) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (text.split('\n').filter((each) => each === line).length >= times) resolve();
        };
        look();
        void exit.then(() => reject(new Error(`ended before "${line}":\n${text}`)));
      }),
  };
}

test('the example mirror loads the snapshot, follows, and resumes after the gateway is killed', async () => {
  const { folder, remove } = await makeFolder();
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}/graphql`;
  const gateways: RunningCommand[] = [];
  const startGateway = async () => {
    const gateway = startCommand(['serve'], {
      cwd: folder,
      env: { PORT: String(port), GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN },
    });
    gateways.push(gateway);
    await gateway.waitFor('Gatehouse listens on');
    return gateway;
  };
  const ask = async (query: string) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as { data: any; errors?: unknown };
    expect(errors).toBeUndefined();
    return data;
  };
  const define = async (slug: string, enabled: boolean): Promise<string> => {
    const input = `{ displayName: "${slug}", slug: "${slug}", url: "https://mcp.example.com/mcp", enabled: ${enabled} }`;
    return (await ask(`mutation { createMcpServerConfig(input: ${input}) { id } }`)).createMcpServerConfig.id;
  };
  const mirrors: Mirror[] = [];
  try {
    const first = await startGateway();
    const id = await define('before', true);
    const mirror = startMirror(url, ADMIN_TOKEN);
    mirrors.push(mirror);
    await mirror.printed('BOOKMARK 1 configs');
    await ask(`mutation { updateMcpServerConfig(id: "${id}", patch: { enabled: false }) { id } }`);
    await mirror.printed('MODIFIED before (disabled)');
    first.child.kill('SIGKILL');
    await first.exit;
    await startGateway();
    await define('after', true);
    await mirror.printed('ADDED after');
    expect(
      mirror
        .output()
        .split('\n')
        .filter((line) => /^(ADDED|MODIFIED|REMOVED)/.test(line)),
    ).toEqual(['ADDED before', 'MODIFIED before (disabled)', 'ADDED after']);
    const refused = startMirror(url, 'nonsense');
    mirrors.push(refused);
    expect(await refused.exit).toBe(1);
  } finally {
    for (const mirror of mirrors) mirror.stop();
    for (const { child, exit } of gateways) {
      child.kill('SIGKILL');
      await exit;
    }
    await remove();
  }
});
