import { inject, test } from 'vitest';
import { rotateUnderKills } from './killed-rotation.ts';

const serverUrl = inject('ownServerUrl');

test.runIf(serverUrl !== undefined)(
  'a rotation of 20,000 values killed ten times under eight writers loses nothing',
  () => rotateUnderKills(serverUrl ?? '', { values: 20_000, kills: 10 }),
);
