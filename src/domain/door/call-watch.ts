import type { ConfigChangeRecord } from '../../data/records.ts';
import { type Followed, followSignals } from '../../mcp/abort.ts';
import type { UrlElicitation } from '../../mcp/url-elicitation.ts';

/** How often running calls are decided again when nothing was heard: what no change tells, such as a token's end. */
const TICK_MS = 1_000;
/** Decisions at once. */
const MAX_DECIDING = 16;

/** Why a call has no result, in words for a model. */
export type CallRefusal = {
  kind: 'refused';
  code: string;
  message: string;
  connectUrl?: string;
  /** The pages that the server wants the user to open first. */
  elicitations?: readonly UrlElicitation[];
  /** The gateway refused it, with a code that servers have, too. */
  isDenied?: true;
};

/** A call that runs, as far as the watch needs to know it. */
export interface RunningCall {
  configId: string;
  /** Decides again. @returns the refusal if it would not be made now */
  decide(): Promise<CallRefusal | undefined>;
}

/** What a call has while it runs. */
export interface Watched {
  /** Ends the call. */
  signal: AbortSignal;
  /** Why it was ended. Undefined if it was not. */
  refusal(): CallRefusal | undefined;
  /** The call has ended by itself. */
  leave(): void;
}

interface Entry extends RunningCall {
  readonly followed: Followed;
  refusal: CallRefusal | undefined;
}

/** Ends running calls whose rule has fallen. */
export type CallWatch = ReturnType<typeof createCallWatch>;

/**
 * Creates the watch. A change of a server concerns the calls of that server; a change of users, tokens or sessions, and
 * the clock, concern all. Whatever comes while a call waits for its decision is answered by that one decision, and only
 * some are made at once. So a flood of changes costs no more than the running calls, which have a limit of their own.
 */
export function createCallWatch({ tickMs = TICK_MS }: { tickMs?: number } = {}) {
  const byConfig = new Map<string, Set<Entry>>();
  /** Those that wait for a decision, the oldest first. */
  const due = new Set<Entry>();
  let deciding = 0;
  let timer: NodeJS.Timeout | undefined;

  const decide = async (entry: Entry): Promise<void> => {
    // What cannot be decided now is decided at the next tick. The call ends by its own limit in any case.
    const refusal = await entry.decide().catch(() => undefined);
    if (refusal === undefined || byConfig.get(entry.configId)?.has(entry) !== true) return;
    entry.refusal = refusal;
    entry.followed.abort();
  };

  const drain = (): void => {
    for (const entry of due) {
      if (deciding >= MAX_DECIDING) return;
      due.delete(entry);
      deciding += 1;
      void decide(entry).finally(() => {
        deciding -= 1;
        drain();
      });
    }
  };

  const markAll = (): void => {
    for (const entries of byConfig.values()) for (const entry of entries) due.add(entry);
    drain();
  };

  return {
    /** Watches a call from now on. @param signal ends it, too */
    add(call: RunningCall, signal?: AbortSignal): Watched {
      const entry: Entry = { ...call, followed: followSignals(signal), refusal: undefined };
      const { configId } = entry;
      const same = byConfig.get(configId) ?? new Set();
      byConfig.set(configId, same.add(entry));
      timer ??= setInterval(markAll, tickMs).unref();
      return {
        signal: entry.followed.signal,
        refusal: () => entry.refusal,
        leave() {
          entry.followed.end();
          due.delete(entry);
          same.delete(entry);
          if (same.size === 0 && byConfig.get(configId) === same) byConfig.delete(configId);
          if (byConfig.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },

    /** Servers, their tools or connections to them have changed. */
    onChanges(changes: readonly ConfigChangeRecord[]): void {
      for (const { configId } of changes) for (const entry of byConfig.get(configId) ?? []) due.add(entry);
      drain();
    },

    /** Users, tokens or sessions may have changed. */
    onCallers: markAll,
  };
}
