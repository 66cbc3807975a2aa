import type { ExecutionResult } from 'graphql';
import { afterEach, expect, test, vi } from 'vitest';
import { toEventStream } from '../../src/graphql/event-stream.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a stream whose results fail is aborted and not pinged any more', async () => {
  vi.useFakeTimers();
  async function* fail(): AsyncGenerator<ExecutionResult> {
    yield { data: { a: 1 } };
    throw new Error('no more');
  }
  const reader = toEventStream(fail()).body?.getReader();
  const read = async () => new TextDecoder().decode((await reader?.read())?.value);
  expect(await read()).toBe(':\n\n');
  expect(await read()).toBe('event: next\ndata: {"data":{"a":1}}\n\n');
  await expect(reader?.read()).rejects.toThrow('no more');
  expect(vi.getTimerCount()).toBe(0);
});

test('an idle stream is pinged, once for each time that its client reads', async () => {
  vi.useFakeTimers();
  async function* wait(): AsyncGenerator<ExecutionResult> {
    await new Promise(() => undefined);
  }
  const reader = toEventStream(wait()).body?.getReader();
  await reader?.read();
  const pinged = reader?.read();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(new TextDecoder().decode((await pinged)?.value)).toBe(':\n\n');
  expect(vi.getTimerCount()).toBe(1);
});
