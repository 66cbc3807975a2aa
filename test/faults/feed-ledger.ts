/** The fields of a config that these tests change. */
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

/** What a statement did to a config; null if it deleted it. */
export interface Change {
  id: string;
  state: ConfigState | null;
}

/** The part of an event that distinguishes it in these tests. */
export interface Step {
  type: string;
  state: ConfigState | null;
}

/** Decides by the table whether a change without an answer was committed. */
export type Undecided = (rows: readonly ConfigRow[]) => Change[];

/** Everything that the writers know to be committed. */
export type Ledger = ReturnType<typeof createLedger>;

/** Creates an empty ledger. */
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
    /** One committed transaction. */
    commit(changes: readonly Change[]): void {
      add(changes);
      commits += 1;
    },

    /** A change whose outcome is not known yet. */
    leaveOpen: (decide: Undecided): void => void undecided.push(decide),

    /** Decides the open changes once nobody writes any more. */
    settle(rows: readonly ConfigRow[]): void {
      for (const decide of undecided.splice(0)) add(decide(rows));
    },

    commits: (): number => commits,

    /** What a subscriber from the beginning must see, config by config. */
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
