import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { findFreePort, makeFolder, type RunningCommand, startCommand } from '../setup/process.ts';
import { openSocket } from '../setup/socket-client.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folderOfOwn(): Promise<string> {
  const { folder, remove } = await makeFolder();
  cleanups.push(remove);
  return folder;
}

function start(args: string[], cwd: string, env: Record<string, string>): RunningCommand {
  const command = startCommand(args, { cwd, env });
  cleanups.push(async () => {
    command.child.kill('SIGKILL');
    await command.exit;
  });
  return command;
}

test('the first start creates keys and token, prints a one-time sign-in link, and stops on request', async () => {
  const cwd = await folderOfOwn();
  const port = await findFreePort();
  const env = { PORT: String(port) };
  const dataDir = path.join(cwd, '.gatehouse');
  await mkdir(dataDir, { mode: 0o755 });
  const gateway = start(['serve'], cwd, env);
  await gateway.waitFor('Admin token:');
  for (const file of ['admin-token', 'encryption-keys']) {
    expect(statSync(path.join(dataDir, file)).mode & 0o777).toBe(0o600);
  }
  // Although the folder itself, which existed before, is open to everyone.
  expect(statSync(path.join(dataDir, 'database')).mode & 0o777).toBe(0o700);

  const link = /Sign in once: (\S+)/.exec(gateway.output())?.[1] ?? '';
  expect(link).toMatch(`http://localhost:${port}/auth/sign-in?token=`);
  const signedIn = await fetch(link, { redirect: 'manual' });
  expect(signedIn.status).toBe(303);
  expect(signedIn.headers.get('location')).toBe('/graphql');
  expect(signedIn.headers.get('set-cookie')).toMatch(/^gatehouse_session=.+HttpOnly/);
  expect((await fetch(link, { redirect: 'manual' })).status).toBe(401);

  const token = (await readFile(path.join(dataDir, 'admin-token'), 'utf8')).trim();
  const answer = await fetch(`http://localhost:${port}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ viewer { role } }' }),
  });
  expect(await answer.json()).toEqual({ data: { viewer: { role: 'ADMIN' } } });
  expect(await (await fetch(`http://localhost:${port}/readyz`)).json()).toEqual({
    status: 'ok',
    checks: { database: 'ok', migrations: 'ok', change_feed: 'ok', encryption_keys: 'ok' },
    details: { change_feed: { revision: 0, unread: 0, listening: true, verified_ms_ago: expect.any(Number) } },
  });

  const second = start(['serve'], cwd, { PORT: String(await findFreePort()) });
  expect(await second.exit).toBe(1);
  expect(second.output()).toContain('Another gateway is using');
  expect(second.output()).not.toContain('    at ');

  const samePort = start(['serve'], await folderOfOwn(), env);
  expect(await samePort.exit).toBe(1);
  expect(samePort.output()).toContain(`Port ${port} on 127.0.0.1 is already in use`);
  expect(samePort.output()).not.toContain('    at ');

  // A request whose body is incomplete when the gateway is told to stop is still answered.
  const body = new TransformStream<Uint8Array>();
  const writer = body.writable.getWriter();
  const running = fetch(`http://localhost:${port}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body.readable,
    duplex: 'half',
  } as RequestInit);
  await writer.write(new TextEncoder().encode('{"query":"{ viewer '));
  await fetch(`http://localhost:${port}/healthz`);
  gateway.child.kill('SIGTERM');
  await gateway.waitFor('"stopping"');
  await writer.write(new TextEncoder().encode('{ role } }"}'));
  await writer.close();
  expect(await (await running).json()).toEqual({ data: { viewer: { role: 'ADMIN' } } });
  expect(await gateway.exit).toBe(0);
  expect(existsSync(path.join(dataDir, 'lock'))).toBe(false);

  // The token is not in the log, and the data survives the restart.
  expect(gateway.output()).not.toContain(token);
  const again = start(['migrate'], cwd, {});
  expect(await again.exit).toBe(0);
  expect(again.output()).toContain('The database is up to date.');
}, 120_000);

test('a stopping gateway ends its streams and WebSockets first and does not wait for their clients', async () => {
  const cwd = await folderOfOwn();
  const port = await findFreePort();
  const token = 'the-token-of-the-bootstrap-admin';
  const gateway = start(['serve'], cwd, { PORT: String(port), GATEHOUSE_ADMIN_TOKEN: token });
  await gateway.waitFor('Gatehouse listens on');
  const stream = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ query: 'subscription { mcpServerConfigEvents { type } }' }),
  });
  const socket = await openSocket(port);
  expect(await socket.init({ authorization: `Bearer ${token}` })).toEqual({ type: 'connection_ack' });
  gateway.child.kill('SIGTERM');
  expect(await stream.text()).toMatch(/event: complete\ndata:\n\n$/);
  expect((await socket.closed).code).toBe(1001);
  expect(await gateway.exit).toBe(0);
}, 120_000);

test('a folder whose gateway was killed can be used again', async () => {
  const cwd = await folderOfOwn();
  const killed = start(['serve'], cwd, { PORT: String(await findFreePort()) });
  await killed.waitFor('Admin token:');
  killed.child.kill('SIGKILL');
  await killed.exit;
  expect(existsSync(path.join(cwd, '.gatehouse', 'lock'))).toBe(true);

  // Not while others can read its secrets.
  for (const file of ['encryption-keys', 'admin-token']) {
    const full = path.join(cwd, '.gatehouse', file);
    await chmod(full, 0o644);
    const refused = start(['serve'], cwd, { PORT: String(await findFreePort()) });
    expect(await refused.exit).toBe(1);
    expect(refused.output()).toContain(`${full}`);
    await chmod(full, 0o600);
  }

  const next = start(['serve'], cwd, { PORT: String(await findFreePort()) });
  await next.waitFor('Admin token:');
  next.child.kill('SIGTERM');
  expect(await next.exit).toBe(0);
}, 120_000);

test('an invalid environment lists every problem and exits with 2', async () => {
  const command = start(['serve'], await folderOfOwn(), { PORT: 'x', GATEHOUSE_LOG_LEVEL: 'loud' });
  expect(await command.exit).toBe(2);
  expect(command.output()).toContain('PORT: must be');
  expect(command.output()).toContain('GATEHOUSE_LOG_LEVEL: "loud"');
});

test('an unreachable database is reported in one line without the password', async () => {
  const command = start(['serve'], await folderOfOwn(), {
    DATABASE_URL: `postgres://gatehouse:hunter2-canary@127.0.0.1:${await findFreePort()}/gatehouse`,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
  });
  expect(await command.exit).toBe(1);
  expect(command.output()).toMatch(
    /^gatehouse: Cannot use the database at 127\.0\.0\.1:\d+\/gatehouse: .*ECONNREFUSED.*\n$/,
  );
  expect(command.output()).not.toContain('canary');
});

test('each command explains itself', async () => {
  const cwd = await folderOfOwn();
  for (const args of [
    ['--help'],
    ['serve', '--help'],
    ['migrate', '--help'],
    ['keys', '--help'],
    ['tokens', '--help'],
  ]) {
    const command = start(args, cwd, {});
    expect(await command.exit).toBe(0);
    expect(command.output()).toContain('Usage: gatehouse');
  }
});
