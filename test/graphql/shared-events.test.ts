import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CreateConfig, UpdateConfig } from '../setup/operations.ts';
import { openEvents } from './sse-client.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

test('streams that ask for different things get what they ask for, though they share what is the same', async () => {
  const { admin, member } = gateway.tokens;
  const conditional = 'type config { slug @include(if: $flag) displayName @skip(if: $flag) }';
  const asked = [
    { token: member, fields: 'type' },
    { token: member, fields: 'type config { slug }' },
    { token: member, fields: 'type config { slug }' },
    { token: member, fields: 'type config { displayName }' },
    { token: member, fields: conditional, flag: true },
    { token: member, fields: conditional, flag: false },
    { token: member, fields: 'type changedFields' },
    { token: admin, fields: 'type changedFields' },
  ];
  const variables = {
    input: { slug: 'shared', displayName: 'Shared', url: 'https://mcp.example.com/', enabled: true },
  };
  const created = await gateway.execute(CreateConfig, { token: admin, variables });
  const streams = await Promise.all(asked.map(({ token, ...args }) => openEvents(gateway, token, args)));
  try {
    for (const stream of streams) expect(await stream.nextOfAny()).toMatchObject({ type: 'BOOKMARK' });
    const { id } = created.data.createMcpServerConfig;
    for (const round of ['first', 'second']) {
      const patch = { description: round, url: `https://${round}.example.com/` };
      await gateway.execute(UpdateConfig, { token: admin, variables: { id, patch } });
      expect(await Promise.all(streams.map((stream) => stream.next()))).toEqual([
        { type: 'MODIFIED' },
        { type: 'MODIFIED', config: { slug: 'shared' } },
        { type: 'MODIFIED', config: { slug: 'shared' } },
        { type: 'MODIFIED', config: { displayName: 'Shared' } },
        { type: 'MODIFIED', config: { slug: 'shared' } },
        { type: 'MODIFIED', config: { displayName: 'Shared' } },
        { type: 'MODIFIED', changedFields: ['description'] },
        { type: 'MODIFIED', changedFields: ['description', 'url'] },
      ]);
    }
  } finally {
    for (const stream of streams) await stream.close();
  }
});
