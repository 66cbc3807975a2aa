import { setTimeout as delay } from 'node:timers/promises';
import { inject, test } from 'vitest';
import { expectFeedSurvives } from './feed-setup.ts';

const serverUrl = inject('ownServerUrl') ?? '';
const KILLS = 8;
const KILL_EVERY_MS = 2_000;

test.runIf(serverUrl !== '')('subscribers lose nothing while replicas are killed and restarted', () =>
  expectFeedSurvives({ serverUrl, pauseMs: 1_000 }, async ({ replicas, expectRecovery }) => {
    const starts: Promise<void>[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(KILL_EVERY_MS);
      const index = kill % replicas.urls.length;
      await replicas.kill(index);
      const start = replicas.start(index);
      start.catch(() => undefined);
      starts.push(start);
    }
    // Replicas that were killed while starting do not count.
    await Promise.all(starts.slice(-replicas.urls.length));
    await expectRecovery(`${KILLS} kills`);
  }),
);
