import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import v8 from 'node:v8';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { collectGarbageAfterStart } from '../../src/cli/engine-settings.ts';

/** How busy the process is, between 0 and 1. */
let utilization: number;
let setFlags: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval'] });
  utilization = 0;
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation(() => ({ idle: 1, active: 0, utilization }));
  setFlags = vi.spyOn(v8, 'setFlagsFromString');
  // Bindings that were imported by name follow.
  syncBuiltinESMExports();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const countFull = () => setFlags.mock.calls.filter(([flag]: unknown[]) => flag === '--compact-on-every-full-gc').length;

test('an idle process collects all garbage once, a while after its start', () => {
  collectGarbageAfterStart();
  vi.advanceTimersByTime(15_000);
  expect(countFull()).toBe(0);
  vi.advanceTimersByTime(2_000);
  expect(countFull()).toBe(1);
  vi.advanceTimersByTime(600_000);
  expect(countFull()).toBe(1);
});

test('a busy process is not stopped for it, until it is idle', () => {
  utilization = 0.5;
  collectGarbageAfterStart();
  vi.advanceTimersByTime(600_000);
  expect(countFull()).toBe(0);
  utilization = 0.01;
  vi.advanceTimersByTime(4_000);
  expect(countFull()).toBe(1);
});
