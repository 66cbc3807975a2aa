import { type ExecutionResult, GraphQLError } from 'graphql';
import { afterEach, expect, test, vi } from 'vitest';
import { NOTHING_YET, OVER, type Supply, type Taken } from '../../src/domain/feed/supply.ts';
import { toEventStream } from '../../src/graphql/event-stream.ts';

afterEach(() => {
  vi.useRealTimers();
});

const mask = (error: unknown) => new GraphQLError(`masked: ${(error as Error).message}`);

type Next = Taken<ExecutionResult> | Promise<Taken<ExecutionResult>>;

/** Reads a stream whose results are these. */
function readStream(results: Iterator<Next>, { onReady = () => undefined }: Partial<Supply<unknown>> = {}) {
  const close = vi.fn();
  const take = () => results.next().value ?? OVER;
  const reader = toEventStream({ take, onReady, close }, mask).body?.getReader();
  const read = async (): Promise<string> => new TextDecoder().decode((await reader?.read())?.value);
  return { read, close, isOver: async () => (await reader?.read())?.done };
}

const HELLO = 'event: next\ndata: {"data":{"a":1}}\n\n';
const END = 'event: complete\ndata:\n\n';

test('a stream begins with a ping, and ends with its results', async () => {
  vi.useFakeTimers();
  const { read, isOver } = readStream([{ data: { a: 1 } }, Promise.resolve({ data: { a: 1 } })].values());
  expect([await read(), await read(), await read(), await read()]).toEqual([':\n\n', HELLO, HELLO, END]);
  expect(await isOver()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  [
    'at once',
    function* fail(): Generator<Next> {
      yield { data: { a: 1 } };
      throw new Error('secret');
    },
  ],
  [
    'later',
    function* fail(): Generator<Next> {
      yield { data: { a: 1 } };
      yield Promise.reject(new Error('secret'));
    },
  ],
])(
  'a stream whose results fail %s says so in its last message, masked, and is not pinged any more',
  async (_, fail) => {
    vi.useFakeTimers();
    const { read, isOver, close } = readStream(fail());
    expect([await read(), await read()]).toEqual([':\n\n', HELLO]);
    expect(await read()).toContain('"message":"masked: secret"');
    expect(await read()).toBe(END);
    expect(await isOver()).toBe(true);
    expect(close).toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  },
);

test('the errors of a result are masked', async () => {
  const { read } = readStream([{ data: null, errors: [new GraphQLError('secret')] }].values());
  await read();
  expect(await read()).toContain('{"data":null,"errors":[{"message":"masked: secret"');
});

test('an idle stream is pinged, once for each time that its client reads', async () => {
  vi.useFakeTimers();
  const onReady = vi.fn();
  const { read } = readStream(Array.from({ length: 9 }, (): Next => NOTHING_YET).values(), { onReady });
  await read();
  for (let pings = 0; pings < 2; pings += 1) {
    const pinged = read();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await pinged).toBe(':\n\n');
  }
  expect(vi.getTimerCount()).toBe(1);
  // It waits for the results all the time: it asks them once.
  expect(onReady).toHaveBeenCalledTimes(1);
});

test('a stream whose next result takes long is pinged, too', async () => {
  vi.useFakeTimers();
  let finish: ((result: ExecutionResult) => void) | undefined;
  const result = new Promise<ExecutionResult>((resolve) => {
    finish = resolve;
  });
  const { read } = readStream([result].values());
  await read();
  const pinged = read();
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await pinged).toBe(':\n\n');
  const next = read();
  finish?.({ data: { a: 1 } });
  expect(await next).toBe(HELLO);
  expect(await read()).toBe(END);
});
