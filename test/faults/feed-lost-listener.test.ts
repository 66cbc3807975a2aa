import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { expectFeedSurvives } from './feed-setup.ts';

const serverUrl = inject('ownServerUrl') ?? '';
const ROUNDS = 20;
const ROUND_MS = 500;

test.runIf(serverUrl !== '')('subscribers lose nothing while the notification connections are cut repeatedly', () =>
  expectFeedSurvives({ serverUrl, pauseMs: 300 }, async ({ url, expectRecovery }) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    let cut = 0;
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        await delay(ROUND_MS);
        const { rows } = await client.query<{ is_cut: boolean }>(
          `SELECT pg_terminate_backend(pid) AS is_cut FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'gatehouse listen'`,
        );
        cut += rows.filter((row) => row.is_cut).length;
      }
    } finally {
      await client.end();
    }
    // Both reconnect repeatedly; on a busy machine some rounds find one that is not back yet.
    expect(cut).toBeGreaterThan(ROUNDS / 2);
    await expectRecovery(`${cut} cut connections`);
  }),
);
