import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { createTestGateway } from '../setup/gateway.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Opens a gateway, uses it, and closes it. */
async function useGateway(): Promise<WeakRef<object>> {
  const gateway = await createTestGateway();
  const { data } = await gateway.graphql('{ viewer { role } }', { token: gateway.tokens.admin });
  expect(data.viewer.role).toBe('ADMIN');
  expect(await (await gateway.fetch('/metrics')).text()).toContain('process_cpu_seconds_total');
  await gateway.close();
  return new WeakRef(gateway.app);
}

// Observers of the process held every gateway for good, which made tests slow and took gigabytes.
test('nothing holds a gateway that was closed', async () => {
  const closed = await useGateway();
  await useGateway();
  await expect
    .poll(() => {
      collectGarbage();
      return closed.deref();
    })
    .toBeUndefined();
});
