/**
 * Why a sealed value does not open.
 *
 * - `malformed`: not an envelope
 * - `unknown_key`: sealed with a key that this process does not have
 * - `commitment`: not sealed with the key that it names, or its salt or commitment was modified
 * - `tag`: modified, or copied from another table, column, row or owner
 * - `destination`: sealed for other origins than those of the URLs that it is about to be sent to
 */
export type OpenFailure = 'malformed' | 'unknown_key' | 'commitment' | 'tag' | 'destination';

const MESSAGES: Readonly<Record<OpenFailure, string>> = {
  malformed: 'The value is not a sealed value.',
  unknown_key: 'The value is sealed with a key that is not configured.',
  commitment: 'The value was not sealed with the key that it names.',
  tag: 'The value was modified, or was sealed for another place.',
  destination: 'The value may not be sent to these URLs: they are not those that it was entered for.',
};

/** A sealed value does not open. Contains no part of the value or of a key. */
export class OpenError extends Error {
  override readonly name = 'OpenError';
  readonly reason: OpenFailure;

  constructor(reason: OpenFailure) {
    super(MESSAGES[reason]);
    this.reason = reason;
  }
}
