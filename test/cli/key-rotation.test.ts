import { test } from 'vitest';
import { rotateUnderKills } from '../faults/killed-rotation.ts';
import { findTestServer } from '../setup/find-server.ts';

const serverUrl = await findTestServer();

// The full version, with 20,000 values and ten kills, runs in `npm run test:faults`.
test.runIf(serverUrl !== undefined)('a rotation killed twice under eight writers loses nothing', () =>
  rotateUnderKills(serverUrl ?? '', { values: 2_000, kills: 2 }),
);
