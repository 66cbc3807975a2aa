import { isRepetitive } from './repetition.ts';

const MIN_LENGTH = 24;

/** 24 random hexadecimal digits have 12 distinct ones on average, and fewer than 7 once in two million tokens. */
const MIN_DISTINCT = 7;

/**
 * What is wrong with the token of the bootstrap admin; undefined if nothing is. Anyone who can reach the gateway may try
 * to guess it.
 */
export function findAdminTokenProblem(token: string): string | undefined {
  if (token.length < MIN_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
    return `must have at least ${MIN_LENGTH} characters, all printable ASCII without spaces`;
  }
  if (!isRepetitive(Buffer.from(token), MIN_DISTINCT)) return undefined;
  return 'is easy to guess: make one with `openssl rand -base64 32`';
}
