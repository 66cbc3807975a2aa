import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { findFreePort } from '../setup/free-port.ts';
import { makePlace } from '../setup/place.ts';
import { openSocket } from '../setup/socket-client.ts';

test('the first start creates keys and token, prints a one-time sign-in link, and stops on request', async () => {
  const place = await makePlace({ isNew: true });
  const { dataDir, port } = place;
  await mkdir(dataDir, { mode: 0o755 });
  const gateway = await place.serve();
  for (const file of ['admin-token', 'encryption-keys']) {
    expect(statSync(path.join(dataDir, file)).mode & 0o777).toBe(0o600);
  }
  // Although the folder itself, which existed before, is open to everyone.
  expect(statSync(path.join(dataDir, 'database')).mode & 0o777).toBe(0o700);
  // The build's folder is used: PGlite itself would let everyone read this file.
  expect(statSync(path.join(dataDir, 'database/PG_VERSION')).mode & 0o777).toBe(0o600);

  const link = /Sign in once: (\S+)/.exec(gateway.output())?.[1] ?? '';
  expect(link).toMatch(`http://localhost:${port}/auth/sign-in?token=`);
  expect(gateway.output()).toContain(`Console:      http://localhost:${port}/\n`);
  const signedIn = await fetch(link, { redirect: 'manual' });
  expect(signedIn.status).toBe(303);
  expect(signedIn.headers.get('location')).toBe('/');
  expect(signedIn.headers.get('set-cookie')).toMatch(/^gatehouse_session=.+HttpOnly/);
  expect((await fetch(link, { redirect: 'manual' })).status).toBe(401);

  expect(await place.ask('{ viewer { role } }')).toEqual({ viewer: { role: 'ADMIN' } });
  expect(await (await fetch(`http://localhost:${port}/readyz`)).json()).toEqual({
    status: 'ok',
    checks: { database: 'ok', migrations: 'ok', change_feed: 'ok', encryption_keys: 'ok' },
    details: { change_feed: { revision: 0, unread: 0, listening: true, verified_ms_ago: expect.any(Number) } },
  });

  const second = await place.with({ PORT: String(await findFreePort()) }).run('serve');
  expect(second).toEqual({ code: 1, output: expect.stringContaining('Another gateway is using') });
  expect(second.output).not.toContain('    at ');

  const samePort = await (await makePlace({ env: { PORT: String(port) }, anyDatabase: true })).run('serve');
  expect(samePort.code).toBe(1);
  expect(samePort.output).toContain(`Port ${port} on 127.0.0.1 is already in use`);
  expect(samePort.output).not.toContain('    at ');

  const token = await place.readAdminToken();
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
  // Streams and WebSockets end first, and their clients are not waited for.
  expect(await stream.text()).toMatch(/event: complete\ndata:\n\n$/);
  expect((await socket.closed).code).toBe(1001);
  await writer.write(new TextEncoder().encode('{ role } }"}'));
  await writer.close();
  expect(await (await running).json()).toEqual({ data: { viewer: { role: 'ADMIN' } } });
  expect(await gateway.exit).toBe(0);
  expect(existsSync(path.join(dataDir, 'lock'))).toBe(false);

  // The token is not in the log, and the data survives the restart.
  expect(gateway.output()).not.toContain(token);
  const again = await place.run('migrate');
  expect(again).toEqual({ code: 0, output: expect.stringContaining('The database is up to date.') });
});

test('a folder whose gateway was killed can be used again', async () => {
  const { dataDir, run, serve, ...place } = await makePlace();
  await (await serve()).kill();
  expect(existsSync(path.join(dataDir, 'lock'))).toBe(true);

  // Not while others can read its secrets.
  for (const name of ['encryption-keys', 'admin-token']) {
    const file = path.join(dataDir, name);
    await chmod(file, 0o644);
    expect(await run('serve')).toEqual({ code: 1, output: expect.stringContaining(file) });
    await chmod(file, 0o600);
  }

  // It is told to stop, and accepts requests for as long as it is set to.
  const gateway = await place.with({ GATEHOUSE_SHUTDOWN_DELAY_SECONDS: '300' }).serve();
  gateway.child.kill('SIGTERM');
  await gateway.waitFor('"stopping"');
  expect((await fetch(`http://127.0.0.1:${place.port}/readyz`)).status).toBe(503);
  expect(await place.ask('{ viewer { role } }')).toEqual({ viewer: { role: 'ADMIN' } });
  // The second signal does not wait.
  gateway.child.kill('SIGTERM');
  await gateway.exit;
});

test('an invalid environment lists every problem and exits with 2', async () => {
  const { run } = await makePlace({ env: { PORT: 'x', GATEHOUSE_LOG_LEVEL: 'loud' }, isNew: true });
  const { code, output } = await run('serve');
  expect(code).toBe(2);
  expect(output).toContain('PORT: must be');
  expect(output).toContain('GATEHOUSE_LOG_LEVEL: "loud"');
});

test('an unreachable database is reported in one line without the password', async () => {
  const { run } = await makePlace({
    env: {
      DATABASE_URL: `postgres://gatehouse:hunter2-canary@127.0.0.1:${await findFreePort()}/gatehouse`,
      GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    },
    isNew: true,
  });
  const { code, output } = await run('serve');
  expect(code).toBe(1);
  expect(output).toMatch(/^gatehouse: Cannot use the database at 127\.0\.0\.1:\d+\/gatehouse: .*ECONNREFUSED.*\n$/);
  expect(output).not.toContain('canary');
});

test('each command explains itself', async () => {
  const { run } = await makePlace({ isNew: true });
  const commands = [[], ['serve'], ['migrate'], ['keys'], ['tokens'], ['users'], ['audit'], ['import'], ['export']];
  const answers = await Promise.all(commands.map((command) => run(...command, '--help')));
  for (const answer of answers) {
    expect(answer).toEqual({ code: 0, output: expect.stringContaining('Usage: gatehouse') });
  }
});
