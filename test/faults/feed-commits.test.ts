import { inject, test } from 'vitest';
import { waitUntil } from '../setup/wait-until.ts';
import { expectFeedSurvives } from './feed-setup.ts';

const serverUrl = inject('ownServerUrl') ?? '';
const COMMITS = 20_000;

test.runIf(serverUrl !== '')(
  `whoever follows at either of two replicas sees each of ${COMMITS} commits of 16 writers once, in order, and nothing that was rolled back`,
  () =>
    expectFeedSurvives({ serverUrl }, async ({ commits }) => {
      await waitUntil('all is committed', () => commits() >= COMMITS, 120_000);
    }),
);
