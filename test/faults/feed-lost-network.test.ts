import { setTimeout as delay } from 'node:timers/promises';
import { describe, inject, test } from 'vitest';
import { expectFeedSurvives } from './feed-setup.ts';

const serverUrl = inject('ownServerUrl') ?? '';
const BEFORE_MS = 2_000;
const AFTER_MS = 2_000;

describe.runIf(serverUrl !== '')('subscribers lose nothing, and everything recovers within five seconds', () => {
  const cases = [
    { mode: 'hold', ms: 10_000, what: 'nothing came through for ten seconds' },
    { mode: 'discard', ms: 10_000, what: 'all that was sent for ten seconds was lost, and its connections with it' },
    { mode: 'discard', ms: 1_000, what: 'all that was sent for a second was lost, and its connections with it' },
  ] as const;
  test.each(cases)('when the network between the replicas and their database $what', ({ mode, ms, what }) =>
    expectFeedSurvives({ serverUrl, pauseMs: 300 }, async ({ proxy, expectRecovery }) => {
      await delay(BEFORE_MS);
      proxy[mode]();
      await delay(ms);
      proxy.pass();
      await expectRecovery(what);
      await delay(AFTER_MS);
    }),
  );
});
