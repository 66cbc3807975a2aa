import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { inject, test } from 'vitest';
import { expectFeedSurvives } from './feed-setup.ts';

const serverUrl = inject('ownServerUrl') ?? '';
/** So many connections are cut, those of each replica every half a second: one that is not back yet is not. */
const CUTS = 20;
const ROUND_MS = 500;

test.runIf(serverUrl !== '')('subscribers lose nothing while the notification connections are cut repeatedly', () =>
  expectFeedSurvives({ serverUrl, pauseMs: 300 }, async ({ url, expectRecovery }) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    let cut = 0;
    try {
      while (cut < CUTS) {
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
    await expectRecovery(`${cut} cut connections`);
  }),
);
