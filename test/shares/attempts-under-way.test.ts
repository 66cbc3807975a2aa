import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AttemptsUnderWay } from '../../src/domain/credentials/attempts-under-way.ts';
import { CREDENTIAL_LIMITS } from '../../src/limits/credential-limits.ts';

const PATIENCE_MS = CREDENTIAL_LIMITS.credentialPatience.value;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An attempt at `a`, and others that wait for its end. */
function createAttempts(waiting: number) {
  const attempts = new AttemptsUnderWay();
  attempts.begin('a');
  const waits = Array.from({ length: waiting }, () => attempts.wait('a', performance.now()));
  return { attempts, waits };
}

test('each end lets one look again, and the last end all', async () => {
  const { attempts, waits } = createAttempts(3);
  attempts.begin('a');
  const looked: number[] = [];
  waits.forEach((wait, index) => void wait.then(() => looked.push(index)));
  attempts.end('a');
  await vi.advanceTimersByTimeAsync(0);
  expect(looked).toEqual([0]);
  attempts.end('a');
  expect(await Promise.all(waits)).toEqual([true, true, true]);
  expect(attempts.count('a')).toBe(0);
});

test('nobody waits for an attempt at another network', async () => {
  const { attempts } = createAttempts(0);
  expect(await attempts.wait('b', performance.now())).toBe(false);
});

test('an attempt that does not end is waited for no longer than said, however often one looks', async () => {
  const { attempts, waits } = createAttempts(1);
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  expect(await waits[0]).toBe(false);
  expect(await attempts.wait('a', performance.now() - PATIENCE_MS)).toBe(false);
});

test('so many wait, and as many again when those are through', async () => {
  const most = CREDENTIAL_LIMITS.waitingCredentials.value;
  const { attempts, waits } = createAttempts(most);
  expect(await attempts.wait('a', performance.now())).toBe(false);
  attempts.end('a');
  await Promise.all(waits);
  attempts.begin('a');
  const next = attempts.wait('a', performance.now());
  attempts.end('a');
  expect(await next).toBe(true);
});
