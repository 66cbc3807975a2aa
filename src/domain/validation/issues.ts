import { type ValidationIssue, validationFailed } from '../../errors.ts';
import { REQUEST_LIMITS } from '../../limits/request-limits.ts';

/** Nobody reads more, and a response must not be larger than its request. */
const MAX_ISSUES = REQUEST_LIMITS.issues.value;

/** Collects validation problems, so that one response reports all of them. */
export class Issues {
  readonly #found: ValidationIssue[] = [];

  add(path: ValidationIssue['path'], code: string, message: string): void {
    if (this.#found.length < MAX_ISSUES) this.#found.push({ path, code, message });
  }

  /** Whether a problem was already reported at this path or below it. */
  has(...path: ValidationIssue['path']): boolean {
    return this.#found.some((issue) => path.every((step, index) => issue.path[index] === step));
  }

  /** All problems so far. */
  list(): readonly ValidationIssue[] {
    return this.#found;
  }

  /** The first problem. */
  first(): ValidationIssue | undefined {
    return this.#found[0];
  }

  /** @throws VALIDATION_FAILED with all problems */
  throwIfAny(): void {
    if (this.#found.length > 0) throw validationFailed(this.#found);
  }
}
