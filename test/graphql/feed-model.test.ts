// On both databases: notifications, rollbacks, and the order of commits.

import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { begin, FEED_COMMANDS, finish, type Model, type Real } from './feed-model.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

test('for any sequence of writes, rollbacks, disconnects and expiry, viewers receive what a simple model predicts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(FEED_COMMANDS, { size: 'medium', maxCommands: 40 }), async (commands) => {
      await gateway.database.query('DELETE FROM mcp_server_configs');
      let state: { model: Model; real: Real } | undefined;
      const setup = async () => {
        state = await begin(gateway);
        return state;
      };
      await fc.asyncModelRun(setup, commands);
      if (state !== undefined) await finish(state.model, state.real);
    }),
    { numRuns: onMainDatabase ? 10 : 3, endOnFailure: true },
  );
});
