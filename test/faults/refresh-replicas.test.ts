import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { parseMasterKeys } from '../../src/crypto/parse-master-keys.ts';
import { Secret } from '../../src/crypto/secret.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createPrisma, type GatehousePrisma, type PrismaStore } from '../../src/data/database/prisma.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { applyMigrations } from '../../src/data/migrations/migrations.ts';
import { sealFor } from '../../src/data/sealing/seal-for.ts';
import { BOOTSTRAP_ADMIN_ID } from '../../src/domain/credentials/bootstrap-admin.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { connectUrl, LOOPBACK_ALLOWED } from '../http/connection-setup.ts';
import { SERVERS } from '../http/rest-client.ts';
import { startAuthorizationServer, type TestAuthorizationServer } from '../setup/authorization-server.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { type HandmadeServer, startHandmadeServer } from '../setup/handmade-server.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { createUserAgent } from '../setup/user-agent.ts';
import { type RefreshWorker, startRefreshWorker } from './refresh-workers.ts';

const TOKEN_PATH = '/token';
const LEASE_OVER = "refresh_lease_until = clock_timestamp() - interval '1 second'";
const CALLERS = 50;
const ROUNDS = 50;
const ADMIN_TOKEN = 'the-token-of-the-bootstrap-admin';

const serverUrl = inject('ownServerUrl');

let own: Awaited<ReturnType<typeof createOwnDatabase>>;
let database: Database;
let as: TestAuthorizationServer;
let mcp: HandmadeServer;
let prisma: GatehousePrisma;
let gateway: Gateway;
let env: Record<string, string>;
let configId: string;
const workers: RefreshWorker[] = [];

async function startWorker(): Promise<RefreshWorker> {
  const worker = await startRefreshWorker({ env, userId: BOOTSTRAP_ADMIN_ID, configId });
  workers.push(worker);
  return worker;
}

async function call(path: string, init: RequestInit): Promise<Response> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
  return gateway.app.fetch(new Request(`${TEST_PUBLIC_URL}${path}`, { headers, ...init }));
}

/** Creates a server and connects the bootstrap admin to it with a browser. */
async function connect(): Promise<void> {
  const body = {
    display_name: 'Real',
    slug: `s-${Date.now()}`,
    url: `${mcp.url}/mcp`,
    auth_type: 'oauth2',
    enabled: true,
  };
  const defined = await call(SERVERS, { method: 'POST', body: JSON.stringify(body) });
  configId = ((await defined.json()) as { id: string }).id;
  const browser = createUserAgent({ routes: { [TEST_PUBLIC_URL]: async (request) => gateway.app.fetch(request) } });
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  await browser.fetch(`${TEST_PUBLIC_URL}/auth/session`, { method: 'POST', headers });
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
  expect(page.status, page.text).toBe(200);
}

async function write(change: string): Promise<void> {
  await database.query(`UPDATE mcp_server_user_tokens SET ${change} WHERE mcp_server_config_id = $1::uuid`, [configId]);
}

function expire(): Promise<void> {
  return write("expires_at = now() - interval '1 second'");
}

function refreshes(): number {
  return as.tokenRequests('refresh_token').length;
}

function getToken() {
  return gateway.accessTokens.get({ userId: BOOTSTRAP_ADMIN_ID, configId });
}

/** Starts the work while another transaction has uncommitted changes, and commits them once the work waits for it. */
async function whileChanging<Result>(
  changes: ((tx: PrismaStore) => Promise<unknown>)[],
  begin: () => Promise<Result>,
): Promise<Result> {
  const [begun] = await prisma.$transaction(async (tx) => {
    for (const change of changes) await change(tx);
    const pending = begin();
    pending.catch(() => undefined);
    await waitForBlocked(1);
    return [pending];
  });
  return begun;
}

/** Resolves once this many statements wait for a lock. */
async function waitForBlocked(count: number): Promise<void> {
  const sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  const deadline = performance.now() + 10_000;
  while ((await database.query(sql)).length < count) {
    if (performance.now() > deadline) throw new Error('nobody waits');
  }
}

async function patch(fields: string): Promise<unknown> {
  const query = `mutation { updateMcpServerConfig(id: "${configId}", patch: { ${fields} }) { id } }`;
  return (await call('/graphql', { method: 'POST', body: JSON.stringify({ query }) })).json();
}

async function readState() {
  const query = `{ mcpServerConfig(id: "${configId}") { viewerState viewerStateReason } }`;
  const answer = await call('/graphql', { method: 'POST', body: JSON.stringify({ query }) });
  return ((await answer.json()) as { data: { mcpServerConfig: object } }).data.mcpServerConfig;
}

describe.runIf(serverUrl !== undefined)('two gateways on one PostgreSQL', () => {
  beforeAll(async () => {
    own = await createOwnDatabase(serverUrl ?? '');
    const keys = generateMasterKey();
    env = {
      ...LOOPBACK_ALLOWED,
      DATABASE_URL: own.url,
      GATEHOUSE_PUBLIC_URL: TEST_PUBLIC_URL,
      GATEHOUSE_ENCRYPTION_KEYS: keys,
      GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN,
    };
    database = await openServerDatabase(own.url);
    await applyMigrations(database);
    const keyring = new Keyring(parseMasterKeys(keys).keys);
    prisma = createPrisma(database, keyring);
    await registerKeys(prisma, keyring);
    as = await startAuthorizationServer();
    mcp = await startHandmadeServer();
    const resource = `${mcp.url}/mcp`;
    as.addResource(resource);
    mcp.onJson('/.well-known/oauth-protected-resource/mcp', { resource, authorization_servers: [as.issuer] });
    gateway = await createGateway({
      listsInBackground: false,
      config: readConfig(env),
      database,
      keyring,
      adminToken: new Secret(ADMIN_TOKEN),
      log: createLogger('silent'),
    });
  });
  afterAll(async () => {
    await gateway?.close();
    await prisma?.$disconnect();
    await database?.close();
    await mcp?.close();
    await as?.close();
    await own?.drop();
  });

  beforeEach(connect);
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.kill();
  });

  test(`with ${CALLERS} callers each renew a token that rotates ${ROUNDS} times by one token request each, and nobody is logged out`, async () => {
    const both = [await startWorker(), await startWorker()];
    const start = refreshes();
    const seen = new Set<string>();
    for (let round = 1; round <= ROUNDS; round += 1) {
      await expire();
      const outcomes = (await Promise.all(both.map((worker) => worker.get(CALLERS)))).flat();
      expect(outcomes).toHaveLength(2 * CALLERS);
      expect([...new Set(outcomes)], `round ${round}`).toEqual([expect.stringMatching(`^ready ${round + 1} `)]);
      expect(refreshes(), `round ${round}`).toBe(start + round);
      seen.add(outcomes[0]?.split(' ')[2] ?? '');
    }
    expect(seen.size).toBe(ROUNDS);
    const token = [...seen].at(-1) ?? '';
    expect(await as.isActive(token)).toBe(true);
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: null });
  });

  test('of which one is killed before its token request was processed: the other refreshes', async () => {
    const [killed, survivor] = [await startWorker(), await startWorker()];
    await expire();
    const hold = as.holdNext(TOKEN_PATH);
    const lost = killed.get(1);
    lost.catch(() => undefined);
    await hold.arrived;
    await killed.kill();
    hold.drop();
    // It waits for a winner that never comes; the lease ends sooner here than in production.
    const waiting = survivor.get(CALLERS);
    await write(LEASE_OVER);
    expect(new Set(await waiting)).toEqual(new Set([expect.stringMatching(/^ready 2 /)]));
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: null });
  });

  test('of which one is killed before the answer arrives: the user must reconnect, permanently', async () => {
    const [killed, survivor] = [await startWorker(), await startWorker()];
    await expire();
    const hold = as.holdNext(TOKEN_PATH, 'answer');
    const lost = killed.get(1);
    lost.catch(() => undefined);
    await hold.arrived;
    await killed.kill();
    hold.drop();
    await write(LEASE_OVER);
    const before = refreshes();
    const [outcome, ...others] = new Set(await survivor.get(CALLERS));
    expect(outcome).toMatch(/^reconnect .*connect again/);
    expect(others).toEqual([]);
    expect(refreshes()).toBe(before + 1);
    for (let call = 0; call < 3; call += 1) expect(await survivor.get(1)).toEqual([outcome]);
    expect(refreshes()).toBe(before + 1);
    expect(await readState()).toMatchObject({ viewerState: 'RECONNECT' });
  });

  test('of which one gets no answer from the token endpoint keep the connection, and the other refreshes later', async () => {
    const [patient, other] = [await startWorker(), await startWorker()];
    await expire();
    const before = refreshes();
    as.failNext(TOKEN_PATH, 'hang');
    expect(new Set(await patient.get(CALLERS))).toEqual(new Set(['UPSTREAM_FAILED']));
    expect(refreshes()).toBe(before + 1);
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: null });
    await write('retry_at = NULL');
    expect(await other.get(1)).toEqual([expect.stringMatching(/^ready 2 /)]);
  });

  test('of which one read before the other refreshed, and acts after it: it sends no request', async () => {
    await expire();
    const before = refreshes();
    const data = { version: 2, expiresAt: new Date(Date.now() + 3_600_000) };
    const outcome = await whileChanging(
      [(tx) => tx.mcpServerUserToken.updateMany({ where: { mcpServerConfigId: configId }, data })],
      getToken,
    );
    expect(outcome).toMatchObject({ state: 'ready', version: 2 });
    expect(refreshes()).toBe(before);
  });

  test('of which one was so slow that the other refreshed too: the later answer does not replace the newer token', async () => {
    await expire();
    const hold = as.holdNext(TOKEN_PATH, 'answer');
    const slow = getToken();
    await hold.arrived;
    await write(
      `version = 2, refresh_lease_id = NULL, refresh_lease_until = NULL, expires_at = now() + interval '1 hour'`,
    );
    hold.release();
    expect(await slow).toMatchObject({ state: 'ready', version: 2 });
  });

  test('of which one got its answer late, after the other failed: the late answer is kept', async () => {
    const other = await startWorker();
    await expire();
    const hold = as.holdNext(TOKEN_PATH, 'answer');
    const slow = getToken();
    await hold.arrived;
    await write(LEASE_OVER);
    as.failNext(TOKEN_PATH, { status: 503 });
    expect(await other.get(1)).toEqual(['UPSTREAM_FAILED']);
    hold.release();
    expect(await slow.catch(String)).toMatchObject({ state: 'ready', version: 2 });
    await write('retry_at = NULL');
    expect(await other.get(1)).toEqual([expect.stringMatching(/^ready 2 /)]);
  });

  test('of which one was told to back off, and the other did not know: it backs off too', async () => {
    await write("obtained_at = now() - interval '1 hour', expires_at = now() + interval '30 seconds'");
    const before = refreshes();
    const data = { refreshFailures: 1, retryAt: new Date(Date.now() + 3_600_000) };
    const outcome = await whileChanging(
      [(tx) => tx.mcpServerUserToken.updateMany({ where: { mcpServerConfigId: configId }, data })],
      getToken,
    );
    expect(outcome).toMatchObject({ state: 'ready', version: 1 });
    expect(refreshes()).toBe(before);
  });

  test('an end by the authorization server and one by an admin do not fail each other', async () => {
    await expire();
    const headers = { 'content-type': 'application/json' };
    as.failNext(TOKEN_PATH, { status: 400, headers, body: '{"error":"invalid_grant"}' });
    const hold = as.holdNext(TOKEN_PATH);
    const ended = getToken();
    ended.catch(() => undefined);
    await hold.arrived;
    const [changed] = await prisma.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT id FROM mcp_server_user_tokens WHERE mcp_server_config_id = ${configId}::uuid FOR UPDATE`;
      hold.release();
      await waitForBlocked(1);
      const pending = patch('oauth2ClientId: "other"');
      await waitForBlocked(2);
      return [pending];
    });
    expect(await changed).toEqual({ data: { updateMcpServerConfig: { id: configId } } });
    expect((await ended).state).not.toBe('ready');
  });

  test('a secret changed by an admin during a refresh is not sent to the old address', async () => {
    await expire();
    const oauth2TokenUrl = `${mcp.url}/token`;
    const oauth2ClientSecret = sealFor('other-secret', [`${mcp.url}/mcp`, oauth2TokenUrl]);
    const data = { oauth2ClientId: 'other', oauth2ClientSecret, oauth2TokenUrl };
    const before = refreshes();
    const [caller] = await prisma.$transaction(async (tx) => {
      await tx.$executeRaw`LOCK TABLE mcp_server_oauth_discoveries IN ACCESS EXCLUSIVE MODE`;
      const pending = getToken();
      await waitForBlocked(1);
      await tx.mcpServerUserToken.deleteMany({ where: { mcpServerConfigId: configId } });
      await tx.mcpServerConfig.update({ where: { id: configId }, data: { ...data, version: { increment: 1 } } });
      return [pending];
    });
    expect(await caller).toEqual({ state: 'needs_connect' });
    const sent = as.tokenRequests('refresh_token').slice(before);
    const credentials = sent.map(({ headers }) => atob(headers.authorization?.replace('Basic ', '') ?? ''));
    expect(credentials.filter((each) => each.includes('other-secret'))).toEqual([]);
  });

  test('a token that a user gives up while an admin moves the server is not revoked at the new address', async () => {
    const data = { oauth2RevocationUrl: `${mcp.url}/revoke`, version: { increment: 1 } };
    const [outcome] = await prisma.$transaction(async (tx) => {
      await tx.$executeRaw`LOCK TABLE mcp_server_configs IN ACCESS EXCLUSIVE MODE`;
      const pending = call(`${SERVERS}/${configId}/oauth2/disconnect`, { method: 'DELETE' });
      await waitForBlocked(1);
      await tx.mcpServerUserToken.deleteMany({ where: { mcpServerConfigId: configId } });
      await tx.mcpServerConfig.update({ where: { id: configId }, data });
      return [pending];
    });
    expect((await outcome).status).toBe(204);
    expect(mcp.log.filter((line) => line.includes('/revoke'))).toEqual([]);
  });

  test('a browser is not redirected with a client that another gateway just replaced', async () => {
    const data = { oauth2ClientId: 'renewed', version: { increment: 1 } };
    const answer = await whileChanging(
      [
        (tx) => tx.$executeRaw`LOCK TABLE mcp_server_oauth_discoveries IN ACCESS EXCLUSIVE MODE`,
        (tx) => tx.mcpServerConfig.update({ where: { id: configId }, data }),
      ],
      () => call(`${SERVERS}/${configId}/oauth2/connect`, {}),
    );
    expect(new URL(answer.headers.get('location') ?? '').searchParams.get('client_id')).toBe('renewed');
  });

  test("a renewed client and an admin's new client do not fail each other", async () => {
    // The gateway replaces a client only if the server refuses it when asked again.
    const [row] = await database.query(`SELECT oauth2_client_id FROM mcp_server_configs WHERE id = '${configId}'`);
    await as.forgetClient(String(row?.['oauth2_client_id']));
    await database.query('UPDATE mcp_server_oauth_discoveries SET client_is_unknown = true');
    const hold = as.holdNext('/reg', 'answer');
    const connecting = call(`${SERVERS}/${configId}/oauth2/connect`, {});
    await hold.arrived;
    const [changed] = await prisma.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT resource FROM mcp_server_oauth_discoveries
                         WHERE mcp_server_config_id = ${configId}::uuid FOR UPDATE`;
      hold.release();
      await waitForBlocked(1);
      const pending = patch('oauth2ClientId: "given"');
      await waitForBlocked(2);
      return [pending];
    });
    expect(await changed).toEqual({ data: { updateMcpServerConfig: { id: configId } } });
    expect((await connecting).status).toBe(307);
  });
});
