import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { type OwnPostgres, startOwnPostgres } from '../setup/own-postgres.ts';
import { expectFeedSurvives } from './feed-setup.ts';

const BETWEEN_MS = 2_000;

// A dedicated server: nobody else uses it when it goes down.
let server: OwnPostgres | undefined;

describe.runIf(inject('ownServerUrl') !== undefined)('subscribers lose nothing', () => {
  beforeAll(async () => {
    server = await startOwnPostgres();
  });
  afterAll(() => server?.stop());

  test('when PostgreSQL crashes and restarts, and everything recovers within five seconds', () =>
    expectFeedSurvives({ serverUrl: server?.url ?? '', pauseMs: 300 }, async ({ expectRecovery }) => {
      for (const downMs of [0, 6_000]) {
        await delay(BETWEEN_MS);
        await server?.crash();
        await delay(downMs);
        await server?.start();
        await expectRecovery(`a crash, ${downMs} ms down`);
      }
    }));
});
