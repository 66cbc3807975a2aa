import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { askAsAdmin, createConfig } from './admin.ts';
import { openBenchDatabase } from './bench-database.ts';
import { buildGateway, startBuilt } from './built-gateway.ts';
import type { Contestant } from './contestant.ts';

// How soon a change reaches many subscribers. `npm run bench -- feed`

const SUBSCRIBERS = 1_000;
const CHANGES = 200;
const AT_ONCE = 50;
const PATIENCE_MS = 30_000;
/** Instead of what a stream has sent, once it is open. */
const OPEN = 'open';
const QUERY = 'subscription { mcpServerConfigEvents { type config { id slug displayName description } } }';

/** Subscribers of one member at one gateway. */
interface Audience {
  /** Resolves with the times, by `performance.now`, at which all subscribers had the change with this mark. */
  receive(mark: string): Promise<number[]>;
  close(): void;
}

/**
 * Opens the streams. They are read from plain sockets: Node's HTTP client takes more time for an event than the gateway, and what
 * it takes would be measured, too.
 */
async function subscribe({ url }: Contestant, token: string): Promise<Audience> {
  const { hostname, port, pathname } = new URL(url);
  const body = JSON.stringify({ query: QUERY });
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Accept: text/event-stream',
    'Content-Type: application/json',
    `Authorization: Bearer ${token}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  const sockets: Socket[] = [];
  let mark = '';
  let times: number[] = [];
  let done: ((times: number[]) => void) | undefined;
  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let start = '';
      const socket = connect(Number(port), hostname);
      sockets.push(socket);
      socket.on('error', reject).on('data', (bytes: Buffer) => {
        if (start !== OPEN) {
          start += bytes.toString();
          if (!start.startsWith('HTTP/1.1 200')) reject(new Error(`a stream was answered with: ${start}`));
          // Changes from here on are for this stream.
          if (!start.includes('"BOOKMARK"')) return;
          start = OPEN;
          resolve();
        } else if (mark !== '' && bytes.includes(mark)) {
          times.push(performance.now());
          if (times.length === SUBSCRIBERS) done?.(times);
        }
      });
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    });
  for (let index = 0; index < SUBSCRIBERS; index += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, open));
  }
  return {
    receive: (wanted) =>
      new Promise((resolve, reject) => {
        [mark, times] = [wanted, []];
        const timer = setTimeout(() => reject(new Error(`${times.length} subscribers have the change`)), PATIENCE_MS);
        done = (all) => {
          clearTimeout(timer);
          resolve(all);
        };
      }),
    close() {
      for (const socket of sockets) socket.on('error', () => undefined).destroy();
    },
  };
}

/** @returns from the moment the admin sends the change until the subscribers have it, in milliseconds */
async function measureDelays(written: Contestant, read: Contestant, tokens: { admin: string; member: string }) {
  const id = await createConfig(written.url, tokens.admin, `feed-${randomBytes(4).toString('hex')}`, true);
  const mutation = `mutation ($id: UUID!, $description: String!) {
    updateMcpServerConfig(input: { id: $id, description: $description }) { mcpServerConfig { id } } }`;
  const audience = await subscribe(read, tokens.member);
  const delays: number[] = [];
  try {
    for (let change = 0; change < CHANGES; change += 1) {
      const mark = `mark-${change}-${randomBytes(6).toString('hex')}`;
      const received = audience.receive(mark);
      const begun = performance.now();
      await askAsAdmin(written.url, tokens.admin, mutation, { id, description: mark });
      for (const at of await received) delays.push(at - begun);
    }
  } finally {
    audience.close();
  }
  return delays.sort((a, b) => a - b);
}

/** Measures how soon changes reach subscribers at the replica that made them, and at another. */
export async function benchFeed(): Promise<string> {
  buildGateway();
  const database = await openBenchDatabase();
  const admin = randomBytes(24).toString('base64url');
  const env = {
    GATEHOUSE_ADMIN_TOKEN: admin,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    GATEHOUSE_DATA_DIR: database.folder,
    ...(database.url !== undefined && { DATABASE_URL: database.url }),
  };
  const start = () => startBuilt(env);
  const gateways: Contestant[] = [];
  const lines = [
    `| ${SUBSCRIBERS} subscribers of one role, ${CHANGES} changes | p50 | p99 | longest |`,
    '|---|--:|--:|--:|',
  ];
  try {
    const first = await start();
    gateways.push(first);
    const { createUser } = await askAsAdmin<{ createUser: { user: { id: string } } }>(
      first.url,
      admin,
      'mutation { createUser(input: { email: "member@example.com" }) { user { id } } }',
    );
    const { createApiToken } = await askAsAdmin<{ createApiToken: { token: string } }>(
      first.url,
      admin,
      'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
      { input: { userId: createUser.user.id, name: 'bench' } },
    );
    const tokens = { admin, member: createApiToken.token };
    const tell = (name: string, delays: readonly number[]): void => {
      const at = (share: number) => `${Math.round(delays[Math.ceil(share * delays.length) - 1] ?? Number.NaN)} ms`;
      lines.push(`| ${name} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`);
    };
    tell('at the replica that made the change', await measureDelays(first, first, tokens));
    if (database.url !== undefined) {
      const second = await start();
      gateways.push(second);
      tell('at another replica', await measureDelays(first, second, tokens));
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await database.remove();
  }
  return lines.join('\n');
}
