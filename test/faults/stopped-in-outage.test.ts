import { expect, inject, test } from 'vitest';
import { createOwnDatabase } from '../setup/own-database.ts';
import { startTcpProxy } from '../setup/tcp-proxy.ts';
import { within } from '../setup/wait-until.ts';
import { askReplica } from './feed-reads.ts';
import { startReplicas } from './feed-replicas.ts';

const serverUrl = inject('ownServerUrl') ?? '';
const CALLERS = 20;
/** Time for load balancers to switch, for requests to finish, and for connections to close. */
const STOP_MS = 120_000;

test.runIf(serverUrl !== '')('a gateway that is told to stop while its database is down stops', async () => {
  const own = await createOwnDatabase(serverUrl);
  const proxy = await startTcpProxy(Number(new URL(own.url).port));
  const url = new URL(own.url);
  url.port = String(proxy.port);
  const replicas = await startReplicas([url.href]);
  const [replica = ''] = replicas.urls;
  try {
    proxy.discard();
    const query = '{ auditLog(first: 1) { nodes { id } } }';
    const asked = Array.from({ length: CALLERS }, () => askReplica(replica, replicas.token, query, STOP_MS));
    const answers = Promise.allSettled(asked);
    expect(await within('the gateway stops', STOP_MS, replicas.stopInOrder(0))).toBe(0);
    for (const { status } of await answers) expect(status).toBe('rejected');
  } finally {
    await replicas.stop();
    await proxy.close();
    await own.drop();
  }
});
