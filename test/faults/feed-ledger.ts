/** A config, as far as these tests change it. */
export interface ConfigState {
  version: number;
  enabled: boolean;
  description: string;
}

/** A row of the table. */
export interface ConfigRow extends ConfigState {
  id: string;
  slug: string;
}

/** What a statement did to a config; null when it removed it. */
export interface Change {
  id: string;
  state: ConfigState | null;
}

/** An event, as far as these tests tell one from another. */
export interface Step {
  type: string;
  state: ConfigState | null;
}

/** Tells by the table whether something of which no answer came was committed. */
export type Undecided = (rows: readonly ConfigRow[]) => Change[];

/** What the writers know to be committed. */
export type Ledger = ReturnType<typeof createLedger>;

/** Begins with nothing. */
export function createLedger() {
  const configs = new Map<string, { states: Map<number, ConfigState>; isRemoved: boolean }>();
  const undecided: Undecided[] = [];
  let commits = 0;

  const add = (changes: readonly Change[]): void => {
    for (const { id, state } of changes) {
      const known = configs.get(id) ?? { states: new Map(), isRemoved: false };
      configs.set(id, known);
      if (state === null) known.isRemoved = true;
      else if (known.states.has(state.version)) throw new Error(`version ${state.version} of ${id} came twice`);
      else known.states.set(state.version, state);
    }
  };

  return {
    /** One transaction that was committed. */
    commit(changes: readonly Change[]): void {
      add(changes);
      commits += 1;
    },

    /** Something whose outcome nobody knows yet. */
    leaveOpen: (decide: Undecided): void => void undecided.push(decide),

    /** Decides what was left open, when nobody writes any more. */
    settle(rows: readonly ConfigRow[]): void {
      for (const decide of undecided.splice(0)) add(decide(rows));
    },

    commits: (): number => commits,

    /** What whoever follows from the beginning has to see, config by config. */
    expected(): Map<string, Step[]> {
      const expected = new Map<string, Step[]>();
      for (const [id, { states, isRemoved }] of configs) {
        const inOrder = [...states.values()].sort((a, b) => a.version - b.version);
        const steps: Step[] = inOrder.map((state, index) => ({ type: index === 0 ? 'ADDED' : 'MODIFIED', state }));
        if (isRemoved) steps.push({ type: 'REMOVED', state: null });
        expected.set(id, steps);
      }
      return expected;
    },
  };
}
