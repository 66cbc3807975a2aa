import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';

test('a secret shows itself only where it is exposed', () => {
  const secret = new Secret('hunter2');
  expect(secret.expose()).toBe('hunter2');
  const shown = [`${secret}`, String(secret), JSON.stringify({ secret }), inspect([secret], { showHidden: true })];
  for (const text of shown) {
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('hunter2');
  }
});
