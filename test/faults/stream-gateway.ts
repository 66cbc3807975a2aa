import { randomBytes } from 'node:crypto';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { findFreePort } from '../setup/free-port.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { makeFolder, startCommand } from '../setup/process.ts';

/** A gateway in its own process, to be loaded by clients. */
export interface StreamGateway {
  port: number;
  token: string;
  /** Sends an operation as the bootstrap admin. */
  ask(query: string, variables?: Record<string, unknown>): Promise<any>;
  /** The sum of a metric over all labels, or over the given ones. */
  readMetric(name: string, label?: string): Promise<number>;
  output(): string;
  close(): Promise<void>;
}

/** Starts a gateway over a new database. */
export async function startStreamGateway(serverUrl: string): Promise<StreamGateway> {
  const own = await createOwnDatabase(serverUrl);
  const { folder, remove } = await makeFolder();
  const token = randomBytes(24).toString('base64url');
  const port = await findFreePort();
  const env = {
    PORT: String(port),
    DATABASE_URL: own.url,
    GATEHOUSE_ADMIN_TOKEN: token,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    GATEHOUSE_LOG_LEVEL: 'warn',
  };
  const gateway = startCommand(['serve'], { cwd: folder, env });
  const close = async (): Promise<void> => {
    gateway.child.kill('SIGKILL');
    await gateway.exit;
    await own.drop();
    await remove();
  };
  await gateway.waitFor('Gatehouse listens on').catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const origin = `http://127.0.0.1:${port}`;
  return {
    port,
    token,
    output: gateway.output,
    async ask(query, variables) {
      const response = await fetch(`${origin}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data: any; errors?: unknown };
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      return data;
    },
    async readMetric(name, label = '') {
      const text = await (await fetch(`${origin}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      const values = lines.filter((line) => line.includes(label)).map((line) => Number(line.split(' ').at(-1)));
      return values.reduce((sum, value) => sum + value, 0);
    },
    close,
  };
}

/** The bytes that a subscription sends over HTTP/1.1. */
export function toSubscribeRequest({ token }: Pick<StreamGateway, 'token'>, query: string): string {
  const body = JSON.stringify({ query });
  return [
    'POST /graphql HTTP/1.1',
    'Host: localhost',
    'Accept: text/event-stream',
    'Content-Type: application/json',
    `Authorization: Bearer ${token}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
