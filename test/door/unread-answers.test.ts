import { expect, test } from 'vitest';
import { countAnswer } from '../../src/http/door/counted-answer.ts';
import { createUnreadAnswers } from '../../src/http/door/unread-answers.ts';

const TEXT = { 'content-type': 'text/event-stream' };
const part = (size: number): Uint8Array => new Uint8Array(size).fill(120);

test('a caller has so much, and all callers together have so much', () => {
  const answers = createUnreadAnswers({ perCaller: 10, inAll: 25 });
  const [one, two] = [answers.share('a'), answers.share('a')];
  expect([one.take(6), two.take(4), two.take(1)]).toEqual([true, true, false]);
  expect([answers.isFull('a'), answers.isFull('b')]).toEqual([true, false]);
  const other = answers.share('b');
  expect([other.take(10), answers.share('c').take(6), answers.share('c').take(5)]).toEqual([true, false, true]);
  expect(answers.isFull('d')).toBe(true);
  one.give(6);
  expect([answers.isFull('a'), answers.isFull('d'), two.take(6)]).toEqual([false, false, true]);
  for (const share of [one, two, other]) share.end();
  other.end();
  expect(answers.isFull('d')).toBe(false);
  expect([other.take(1), answers.share('d').take(10)]).toEqual([false, true]);
});

test('an only answer fits whatever its size, but then nothing else', () => {
  const answers = createUnreadAnswers({ perCaller: 10, inAll: 25 });
  const share = answers.share('a');
  expect([share.take(1), share.take(30), answers.share('b').take(1)]).toEqual([true, true, false]);
  share.end();
  expect(answers.share('b').take(1)).toBe(true);
});

test('of a stream, what was read counts no more, and what waits does, before anybody reads', async () => {
  const answers = createUnreadAnswers({ perCaller: 10, inAll: 25 });
  const [unread, other] = [answers.share('a'), answers.share('a')];
  expect(other.take(1)).toBe(true);
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      source = controller;
    },
  });
  const counted = await countAnswer(new Response(body, { headers: TEXT }), { unread, refusal: '{}', end: () => {} });
  const reader = counted.body?.getReader();
  source?.enqueue(part(4));
  source?.enqueue(part(5));
  await expect.poll(() => answers.isFull('a')).toBe(true);
  expect((await reader?.read())?.value).toHaveLength(4);
  // The connection may still have it.
  expect(answers.isFull('a')).toBe(true);
  expect((await reader?.read())?.value).toHaveLength(5);
  expect(answers.isFull('a')).toBe(false);
  for (let made = 0; made < 10; made += 1) {
    source?.enqueue(part(4));
    expect((await reader?.read())?.value).toHaveLength(4);
  }
  source?.enqueue(part(20));
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: {}\n\n');
  expect((await reader?.read())?.done).toBe(true);
});

test('a reader that goes away ends the source, and the answer once', async () => {
  const unread = createUnreadAnswers().share('a');
  let ended = 0;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    cancel: () => {
      isCancelled = true;
    },
  });
  const end = () => {
    ended += 1;
  };
  const counted = await countAnswer(new Response(body, { headers: TEXT }), { unread, refusal: undefined, end });
  await counted.body?.cancel();
  await expect.poll(() => [isCancelled, ended]).toEqual([true, 1]);
});
