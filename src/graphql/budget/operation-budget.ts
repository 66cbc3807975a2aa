import { type DomainError, validationFailed } from '../../errors.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import { PacedItems } from './paced-items.ts';

/** Entries that one operation may ask for with `first`, over all its lists. */
export const MAX_REQUESTED_ENTRIES = OPERATION_LIMITS.requestedEntries.value;
/** Entries in one answer, over all its lists: with and without pages, each alias for itself. */
export const MAX_ENTRIES = OPERATION_LIMITS.entries.value;
/** So many plain values in a list, such as names of tools, count as one entry. */
export const VALUES_PER_ENTRY = 10;
/** Size of one answer, in bytes, as estimated while it is made. */
export const MAX_ANSWER_BYTES = OPERATION_LIMITS.answer.value;

/** What JSON needs around a value, e.g. `"":"",`. */
const PUNCTUATION_BYTES = 6;
/** What a number, boolean, null or date needs, about. */
const PLAIN_BYTES = 8;
/** Shorter texts are counted by their characters, because looking at them costs more than it tells. */
const SHORT_LENGTH = 64;

/** What one operation may cost. It is charged while the answer is made, and ends the operation when it is spent. */
export class OperationBudget {
  readonly #paced = new PacedItems();
  #isRunToItsEnd = false;
  #requested = 0;
  #entries = 0;
  #bytes = 0;
  #reserved = 0;
  #refusal: DomainError | undefined;
  #refuse: (error: DomainError) => void = () => undefined;

  /** Fulfilled when the budget is spent and the operation does not go on. */
  readonly refused = new Promise<DomainError>((resolve) => {
    this.#refuse = resolve;
  });

  /** Lets the operation go on when its budget is spent, because it changes something. Only its answer is refused. */
  runToItsEnd(): void {
    this.#isRunToItsEnd = true;
  }

  /** Why the operation is refused; undefined as long as it is not. */
  get refusal(): DomainError | undefined {
    return this.#refusal;
  }

  /** Counts the entries that a page asks for. Every page counts, even an empty one. @returns whether they are too many */
  request(first: number): boolean {
    this.#requested += Math.max(first, 1);
    return this.#requested > MAX_REQUESTED_ENTRIES;
  }

  /**
   * Waits for the operation's turn, before work that takes as long as resolving some dozens of objects. Undefined if it may
   * begin at once. Never resolves once the operation is refused.
   */
  turn(): Promise<unknown> | undefined {
    return this.#paced.turn();
  }

  /**
   * Charges what the operation is about to read, before it is in memory.
   *
   * @returns whether to read it; otherwise the operation is refused
   */
  reserve(bytes: number): boolean {
    this.#reserved += bytes;
    if (this.#reserved > MAX_ANSWER_BYTES) this.#spendBytes();
    return this.#refusal === undefined;
  }

  /** Charges a field with a single value, for its name and its value. */
  chargeValue(name: string, value: unknown): void {
    this.#chargeBytes(PUNCTUATION_BYTES + name.length + sizeOf(value));
  }

  /** Charges a field with a list of plain values. @returns the list; empty once the budget is spent */
  chargeValues(name: string, values: readonly unknown[]): readonly unknown[] {
    this.#chargeEntries(values.length / VALUES_PER_ENTRY);
    let bytes = PUNCTUATION_BYTES + name.length;
    if (this.#refusal === undefined) for (const value of values) bytes += PUNCTUATION_BYTES + sizeOf(value);
    this.#chargeBytes(bytes);
    return this.#refusal === undefined ? values : [];
  }

  /** Charges a field with a list of objects. @returns the objects, or promises of them; none once the budget is spent */
  chargeObjects(name: string, objects: readonly unknown[]): readonly unknown[] {
    this.#chargeEntries(objects.length);
    this.#chargeBytes(PUNCTUATION_BYTES * (objects.length + 1) + name.length);
    return this.#refusal === undefined ? this.#paced.pace(objects) : [];
  }

  #chargeEntries(count: number): void {
    this.#entries += count;
    if (this.#entries <= MAX_ENTRIES) return;
    this.#spend(
      'TOO_MANY',
      `One operation returns at most ${MAX_ENTRIES.toLocaleString('en')} entries in all its lists together, each alias for itself.`,
    );
  }

  #chargeBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > MAX_ANSWER_BYTES) this.#spendBytes();
  }

  #spendBytes(): void {
    this.#spend('TOO_LONG', `One operation returns at most ${MAX_ANSWER_BYTES / 1_000_000} MB.`);
  }

  #spend(code: string, limit: string): void {
    if (this.#refusal !== undefined) return;
    const advice = this.#isRunToItsEnd ? 'Only the answer is refused: the changes are made.' : 'Ask for less at once.';
    this.#refusal = validationFailed([{ path: [], code, message: `${limit} ${advice}` }]);
    if (this.#isRunToItsEnd) return;
    this.#paced.stop();
    this.#refuse(this.#refusal);
  }
}

function sizeOf(value: unknown): number {
  if (typeof value !== 'string') return PLAIN_BYTES;
  return value.length <= SHORT_LENGTH ? value.length : Buffer.byteLength(value);
}
