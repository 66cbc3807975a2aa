import { type ValidationIssue, validationFailed } from '../../errors.ts';

/** Collects everything that is wrong, so that one answer tells it all. */
export class Issues {
  readonly #found: ValidationIssue[] = [];

  add(path: ValidationIssue['path'], code: string, message: string): void {
    this.#found.push({ path, code, message });
  }

  /** Whether something at this path, or below it, was found wrong already. */
  has(...path: ValidationIssue['path']): boolean {
    return this.#found.some((issue) => path.every((step, index) => issue.path[index] === step));
  }

  /** @throws VALIDATION_FAILED with all that was found */
  throwIfAny(): void {
    if (this.#found.length > 0) throw validationFailed(this.#found);
  }
}
