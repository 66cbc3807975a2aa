// Alone: its writers leave a small machine no time for others.
import { inject, test } from 'vitest';
import { waitUntil } from '../setup/wait-until.ts';
import { expectFeedSurvives } from './feed-setup.ts';

const serverUrl = inject('ownServerUrl') ?? '';
const COMMITS = 10_000;

test.runIf(serverUrl !== '')(
  `subscribers at two replicas see each of ${COMMITS} commits of 16 writers once, in order, and no rollback`,
  () =>
    expectFeedSurvives({ serverUrl }, async ({ commits }) => {
      await waitUntil('all is committed', () => commits() >= COMMITS, 120_000);
    }),
);
