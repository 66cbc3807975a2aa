/** The part of a budget that one operation has taken. */
export interface BudgetShare {
  /** Takes some more. @returns whether the budget has it */
  take(bytes: number): boolean;
  /** Gives back all that was taken. */
  end(): void;
}

/** Creates a number of bytes that many operations share, so that all of them together stay within it. */
export function createByteBudget(maxBytes: number): { share(): BudgetShare } {
  let used = 0;
  return {
    share() {
      let taken = 0;
      return {
        take(bytes) {
          if (used + bytes > maxBytes) return false;
          used += bytes;
          taken += bytes;
          return true;
        },
        end() {
          used -= taken;
          taken = 0;
        },
      };
    },
  };
}
