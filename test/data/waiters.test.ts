import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { createWaiters } from '../../src/data/memory/waiters.ts';
import { currentRequest, runInRequest } from '../../src/telemetry/request-scope.ts';

afterEach(() => {
  vi.useRealTimers();
});

const LONG_MS = 1_000_000;

test('waiters are called once, after whoever notifies them is done', async () => {
  const waiters = createWaiters();
  const controller = new AbortController();
  const callback = vi.fn();
  waiters.wait(LONG_MS, controller.signal, callback);
  waiters.notifyAll();
  waiters.notifyAll();
  expect(callback).not.toHaveBeenCalled();
  await turn();
  controller.abort();
  await turn();
  expect(callback).toHaveBeenCalledOnce();
});

test('who was called waits again with the same signal', async () => {
  const waiters = createWaiters();
  const controller = new AbortController();
  const callback = vi.fn();
  for (const times of [1, 2, 3]) {
    waiters.wait(LONG_MS, controller.signal, callback);
    waiters.notifyAll();
    await turn();
    expect(callback).toHaveBeenCalledTimes(times);
  }
  waiters.wait(LONG_MS, controller.signal, callback);
  controller.abort();
  expect(callback).toHaveBeenCalledTimes(4);
});

test('a waiter is called when its signal aborts, also one that was notified and waits for its turn', async () => {
  const waiters = createWaiters();
  for (const isNotified of [false, true]) {
    const controller = new AbortController();
    const callback = vi.fn();
    waiters.wait(LONG_MS, controller.signal, callback);
    if (isNotified) waiters.notifyAll();
    controller.abort();
    expect(callback).toHaveBeenCalledOnce();
    await turn();
    expect(callback).toHaveBeenCalledOnce();
  }
});

test('thousands are called in batches, so that other work has its turn in between', async () => {
  const waiters = createWaiters();
  let called = 0;
  for (let index = 0; index < 1_000; index += 1) {
    waiters.wait(LONG_MS, new AbortController().signal, () => (called += 1));
  }
  waiters.notifyAll();
  await turn();
  expect(called).toBeGreaterThan(0);
  expect(called).toBeLessThan(1_000);
  while (called < 1_000) await turn();
});

test('what a waiter does is not part of the request that notifies it', async () => {
  const waiters = createWaiters();
  const seen = vi.fn();
  waiters.wait(LONG_MS, new AbortController().signal, () => seen(currentRequest()));
  runInRequest({ requestId: 'of-another-caller', address: undefined }, () => waiters.notifyAll());
  await turn();
  expect(seen.mock.calls).toEqual([[undefined]]);
});

test('a waiter is called when its time is over', async () => {
  vi.useFakeTimers();
  const waiters = createWaiters();
  const early = vi.fn();
  const late = vi.fn();
  waiters.wait(1_000, new AbortController().signal, early);
  waiters.wait(5_000, new AbortController().signal, late);
  await vi.advanceTimersByTimeAsync(1_500);
  expect([early, late].map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([early, late].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  expect(vi.getTimerCount()).toBe(0);
});
