import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makePlace, type Place } from '../setup/place.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/mirror.ts', import.meta.url));

/** Starts the example, and says when it has printed a line. */
function startMirror(place: Place, url: string, token: string) {
  const { exit, output, waitFor } = place.startProcess(
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    EXAMPLE,
    url,
    token,
  );
  return { exit, output, printed: (line: string) => waitFor(`${line}\n`) };
}

test('the example mirror loads the snapshot, follows, and resumes after the gateway is killed', async () => {
  const place = await makePlace({ anyDatabase: true });
  const { ask, serve } = place;
  const url = `http://127.0.0.1:${place.port}/graphql`;
  const define = async (slug: string, enabled: boolean): Promise<string> => {
    const input = `{ displayName: "${slug}", slug: "${slug}", url: "https://mcp.example.com/mcp", enabled: ${enabled} }`;
    return (await ask(`mutation { createMcpServerConfig(input: ${input}) { id } }`)).createMcpServerConfig.id;
  };
  const first = await serve();
  const id = await define('before', true);
  const mirror = startMirror(place, url, await place.readAdminToken());
  await mirror.printed('BOOKMARK 1 configs');
  await ask(`mutation { updateMcpServerConfig(id: "${id}", patch: { enabled: false }) { id } }`);
  await mirror.printed('MODIFIED before (disabled)');
  await first.kill();
  await serve();
  await define('after', true);
  await mirror.printed('ADDED after');
  // The gateway lists the tools of enabled servers by itself, which modifies them.
  const changes = mirror
    .output()
    .split('\n')
    .filter((line) => /^(ADDED|REMOVED)|^MODIFIED .* \(disabled\)/.test(line));
  expect(changes).toEqual(['ADDED before', 'MODIFIED before (disabled)', 'ADDED after']);
  expect(await startMirror(place, url, 'nonsense').exit).toBe(1);
});
