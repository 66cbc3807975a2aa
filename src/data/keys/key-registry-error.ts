/** The configured keys do not match the registered keys. The gateway must not start, or is not ready. */
export class KeyRegistryError extends Error {
  override readonly name = 'KeyRegistryError';
  /** One sentence each, with key numbers and digests, never a key. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The encryption keys do not match this database: ${problems.join('; ')}.`);
    this.problems = problems;
  }
}
