import path from 'node:path';
import { expect } from 'vitest';
import { findFreePort } from '../setup/free-port.ts';
import { type RunningCommand, startProcess } from '../setup/process.ts';

/** How a gateway is started. */
export interface Start {
  command: string;
  args: readonly string[];
  /** The folder with the `node` that runs it. */
  nodeFolder: string;
  cwd: string;
  /** Sends the signal that a user would send. */
  stop(gateway: RunningCommand): void;
}

/**
 * Starts a gateway on a new embedded database, signs in by the link that it prints, loads the playground, changes and
 * reads something through the graph, and stops it.
 *
 * @returns the version of Node that ran it
 */
export async function tryGateway({ command, args, nodeFolder, cwd, stop }: Start): Promise<string> {
  const port = await findFreePort();
  const gateway = startProcess(command, [...args], {
    cwd,
    env: { PATH: `${nodeFolder}${path.delimiter}${process.env['PATH']}`, PORT: String(port) },
  });
  try {
    await gateway.waitFor('Admin token:');
    const link = /Sign in once: (\S+)/.exec(gateway.output())?.[1] ?? '';
    const signedIn = await fetch(link, { redirect: 'manual' });
    expect(signedIn.status).toBe(303);
    const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const origin = `http://localhost:${port}`;

    const page = await (await fetch(`${origin}/graphql`, { headers: { cookie, origin, accept: 'text/html' } })).text();
    const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map(([, asset]) => asset);
    expect(assets.length).toBeGreaterThan(1);
    for (const asset of assets) {
      const response = await fetch(`${origin}${asset}`);
      expect([asset, response.status, (await response.text()).length > 100]).toEqual([asset, 200, true]);
    }

    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { cookie, origin, 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'mutation { createUser(input: { email: "ada@example.com" }) { email role } }' }),
    });
    expect(await response.json()).toEqual({ data: { createUser: { email: 'ada@example.com', role: 'MEMBER' } } });

    const metrics = await (await fetch(`${origin}/metrics`)).text();
    stop(gateway);
    await gateway.exit;
    expect(gateway.output()).toContain('"stopping"');
    return /nodejs_version_info\{version="([^"]+)"/.exec(metrics)?.[1] ?? '';
  } finally {
    await gateway.kill();
  }
}
