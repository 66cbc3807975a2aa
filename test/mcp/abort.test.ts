import { getEventListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { followSignals, withinTime } from '../../src/mcp/abort.ts';

const count = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

test('a signal follows others, with the reason of the first one, until it is released', () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const reason = new Error('first');
  const following = followSignals(first.signal, undefined, second.signal);
  first.abort(reason);
  second.abort(new Error('second'));
  expect(following.signal.reason).toBe(reason);
  // One that has ended before is followed, too.
  expect(followSignals(new AbortController().signal, first.signal).signal.reason).toBe(reason);

  const later = new AbortController();
  const released = followSignals(later.signal);
  released.end();
  later.abort();
  expect(released.signal.aborted).toBe(false);
  expect(count(later.signal)).toBe(0);
});

test('work within a time ends with it, and leaves neither a timer nor a listener', async () => {
  vi.useFakeTimers();
  try {
    const outer = new AbortController();
    const end = (signal: AbortSignal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const late = withinTime(1_000, outer.signal, end);
    expect(count(outer.signal)).toBe(1);
    vi.advanceTimersByTime(1_000);
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' });
    const cancelled = withinTime(1_000, outer.signal, end);
    outer.abort(new Error('cancelled'));
    await expect(cancelled).rejects.toThrow('cancelled');
    expect(await withinTime(1_000, new AbortController().signal, async () => 'done')).toBe('done');
    expect(count(outer.signal)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
