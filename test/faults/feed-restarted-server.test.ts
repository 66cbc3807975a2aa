import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { type OwnPostgres, startOwnPostgres } from '../setup/own-postgres.ts';
import { expectFeedSurvives } from './feed-setup.ts';

const BETWEEN_MS = 4_000;

// One of its own: nobody else is on it when it goes down.
let server: OwnPostgres | undefined;

describe.runIf(inject('ownServerUrl') !== undefined)('whoever follows loses nothing', () => {
  beforeAll(async () => {
    server = await startOwnPostgres();
  });
  afterAll(() => server?.stop());

  test('when PostgreSQL crashes and is started again, and all is well within five seconds', () =>
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
