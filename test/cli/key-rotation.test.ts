import { test } from 'vitest';
import { rotateUnderKills } from '../faults/killed-rotation.ts';
import { findTestServer } from '../setup/find-server.ts';

const serverUrl = await findTestServer();

// The same with 20,000 values and ten kills: `npm run test:faults`.
test.runIf(serverUrl !== undefined)('a rotation that is killed twice under eight writers loses nothing', () =>
  rotateUnderKills(serverUrl ?? '', { values: 2_000, kills: 2 }),
);
