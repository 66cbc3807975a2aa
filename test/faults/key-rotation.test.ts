import { inject, test } from 'vitest';
import { rotateUnderKills } from './killed-rotation.ts';

const serverUrl = inject('ownServerUrl');

test.runIf(serverUrl !== undefined)(
  'a rotation of 10,000 values killed six times under eight writers loses nothing',
  () => rotateUnderKills(serverUrl ?? '', { values: 10_000, kills: 6 }),
);
