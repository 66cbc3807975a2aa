import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateApiToken } from '../../src/domain/credentials/token-format.ts';
import { openSocket } from '../setup/socket-client.ts';
import { type AttackedGateway, expectHarmless, startAttackedGateway } from './harness.ts';
import { createConfig, openAttackStream } from './streams.ts';

const CHANGES = 700;

let gateway: AttackedGateway;
let configId: string;
/** From before the changes. */
let oldCursor: string;
beforeAll(async () => {
  gateway = await startAttackedGateway();
  configId = await createConfig(gateway);
  const { body } = await gateway.graphql('{ mcpServerConfigs { feedCursor } }');
  oldCursor = body.data.mcpServerConfigs.feedCursor;
  for (let change = 0; change < CHANGES; change += 10) {
    const fields = Array.from(
      { length: 10 },
      (_, index) =>
        `u${index}: updateMcpServerConfig(id: $id, patch: { description: "${change + index}" }) { version }`,
    );
    await gateway.asAdmin(`mutation ($id: UUID!) { ${fields.join(' ')} }`, { id: configId });
  }
});
afterAll(() => gateway?.close());

const times = (count: number, work: (index: number) => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

test('sixty replays of hundreds of changes', async () => {
  const query =
    'subscription ($after: String!) { mcpServerConfigEvents(after: $after) { type config { description } } }';
  const replay = async (): Promise<void> => {
    const stream = openAttackStream(gateway, { query, variables: { after: oldCursor } });
    await stream.receive(CHANGES);
    stream.close();
  };
  await expectHarmless(gateway, () => times(60, replay));
});

test('a flood of operations that the caller may not do', async () => {
  const fields = ['auditLog { totalCount }', 'verifyAuditLog { checked }', 'exportMcpServers', 'users { totalCount }'];
  const query = `{ ${fields.map((field, index) => `f${index}: ${field} g${index}: ${field}`).join(' ')} }`;
  await expectHarmless(gateway, () => times(20, () => gateway.graphql(query)));
  const { auditLog } = await gateway.asAdmin('{ auditLog(filter: { action: ACCESS_DENIED }) { totalCount } }');
  expect(auditLog.totalCount).toBeLessThan(40);
});

test('a flood of well-formed tokens that do not exist', async () => {
  // The honest caller has the same address, and a token that was good before.
  await expectHarmless(gateway, () =>
    times(20, async () => {
      const { status } = await gateway.graphql('{ viewer { id } }', { token: generateApiToken().expose() });
      expect([401, 429]).toContain(status);
    }),
  );
});

test('a storm of verifications of the audit log', async () => {
  const auditor = await gateway.createUser('AUDITOR');
  const aliases = Array.from({ length: 15 }, (_, index) => `a${index}: verifyAuditLog { brokenAt }`);
  await expectHarmless(gateway, () =>
    times(20, () => gateway.graphql(`{ ${aliases.join(' ')} }`, { token: auditor.token })),
  );
});

test('many operations at once, each as expensive as it may be', async () => {
  const field = 'id slug displayName description authType availability enabled version createdAt updatedAt';
  const query = (name: string) =>
    `{ ${Array.from({ length: 14 }, (_, index) => `a${index}${name}: mcpServerConfigs { nodes { ${field} } }`).join(' ')} }`;
  let number = 0;
  await expectHarmless(gateway, () =>
    times(60, async () => {
      number += 1;
      const name = createHash('sha256').update(String(number)).digest('hex').slice(0, 8);
      const { status } = await gateway.graphql(query(name));
      expect([200, 429]).toContain(status);
    }),
  );
});

test('silent WebSockets', async () => {
  const silent: Awaited<ReturnType<typeof openSocket>>[] = [];
  await expectHarmless(gateway, async () => {
    silent.push(...((await times(50, () => openSocket(gateway.port))) as typeof silent));
    for (const headers of [{ authorization: `Bearer ${gateway.tokens.honest}` }, undefined]) {
      const socket = await openSocket(gateway.port, headers && { headers });
      const payload = headers === undefined ? { authorization: `Bearer ${gateway.tokens.honest}` } : undefined;
      expect(await socket.init(payload)).toEqual({ type: 'connection_ack' });
      socket.socket.terminate();
    }
  });
  for (const { socket } of silent) socket.terminate();
});
