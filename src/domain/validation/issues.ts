import { type ValidationIssue, validationFailed } from '../../errors.ts';

/** Nobody reads more, and an answer must not be larger than what was asked. */
const MAX_ISSUES = 100;

/** Collects everything that is wrong, so that one answer tells it all. */
export class Issues {
  readonly #found: ValidationIssue[] = [];

  add(path: ValidationIssue['path'], code: string, message: string): void {
    if (this.#found.length < MAX_ISSUES) this.#found.push({ path, code, message });
  }

  /** Whether something at this path, or below it, was found wrong already. */
  has(...path: ValidationIssue['path']): boolean {
    return this.#found.some((issue) => path.every((step, index) => issue.path[index] === step));
  }

  /** The first of what was found. */
  first(): ValidationIssue | undefined {
    return this.#found[0];
  }

  /** @throws VALIDATION_FAILED with all that was found */
  throwIfAny(): void {
    if (this.#found.length > 0) throw validationFailed(this.#found);
  }
}
