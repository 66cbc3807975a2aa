/**
 * Why a sealed value does not open.
 *
 * - `malformed`: not an envelope at all
 * - `unknown_key`: sealed with a key that this process does not have
 * - `commitment`: sealed with another key than the one it names, or its salt or commitment was changed
 * - `tag`: changed, or moved here from another table, column, row or owner
 */
export type OpenFailure = 'malformed' | 'unknown_key' | 'commitment' | 'tag';

const MESSAGES: Readonly<Record<OpenFailure, string>> = {
  malformed: 'The value is not a sealed value.',
  unknown_key: 'The value is sealed with a key that is not configured.',
  commitment: 'The value was not sealed with the key that it names.',
  tag: 'The value was changed, or belongs to another place.',
};

/** A sealed value that does not open. Holds no part of the value and no part of a key. */
export class OpenError extends Error {
  override readonly name = 'OpenError';
  readonly reason: OpenFailure;

  constructor(reason: OpenFailure) {
    super(MESSAGES[reason]);
    this.reason = reason;
  }
}
