import { expect, test } from 'vitest';
import { createProgress } from '../src/cli/progress.ts';

function record(isTTY: boolean) {
  let text = '';
  const stream = {
    isTTY,
    write(part: string) {
      text += part;
    },
  };
  return { stream, text: () => text };
}

test('on a terminal, one bar is redrawn in place', () => {
  const { stream, text } = record(true);
  const progress = createProgress(stream, 'Opened');
  progress.show(50, 200);
  progress.show(200, 200);
  progress.end();
  progress.end();
  const [nothing, quarter, whole] = text().split('\r');
  expect(nothing).toBe('');
  expect(quarter).toBe(`Opened [${'#'.repeat(8)}${'.'.repeat(22)}] 25 % (50 of 200)`);
  expect(whole).toBe(`Opened [${'#'.repeat(30)}] 100 % (200 of 200)\n`);
});

test('elsewhere, a plain line is printed for each tenth', () => {
  const { stream, text } = record(false);
  const progress = createProgress(stream, 'Opened');
  for (let done = 1; done <= 1_000; done += 1) progress.show(done, 1_000);
  progress.end();
  expect(text().trim().split('\n')).toEqual(
    Array.from({ length: 10 }, (_, index) => `Opened: ${(index + 1) * 100} of 1000`),
  );
});

test('no work counts as done', () => {
  const { stream, text } = record(false);
  createProgress(stream, 'Opened').show(0, 0);
  expect(text()).toBe('Opened: 0 of 0\n');
});
