import { MCP_LIMITS } from '../../limits/mcp-limits.ts';

/** A server that says that its list changed is listed this often, */
const PAUSE_MS = MCP_LIMITS.changedListPause.value;
/** and one that says so over and over, at least this often. */
const LONGEST_PAUSE_MS = MCP_LIMITS.longestChangedListPause.value;

/** So many servers are heard at a time: as many as there may be connections. */
const MAX_PAUSES = MCP_LIMITS.connections.value;

/** A list that was listed because its server said that it changed. */
interface Pause {
  /** How long it is not listed for that again. */
  ms: number;
  /** Whether the server said so meanwhile. */
  again: boolean;
  /** Whether the time is over. For a while, the server is still remembered as one that said so. */
  isOver: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Creates what decides when to list because servers say that their lists changed. Each such list may be another one, with
 * an audit entry, rows and events. So a server that says so again and again is listed ever more rarely.
 *
 * @param list lists, and says whether it did: what was said meanwhile, or was listed by somebody else, counts at the end
 */
export function createToldChanges(list: (name: string) => Promise<boolean>) {
  const pauses = new Map<string, Pause>();

  const wait = (name: string, pause: Pause, ms: number): void => {
    clearTimeout(pause.timer);
    pause.timer = setTimeout(() => end(name, pause), ms).unref();
  };

  const begin = (name: string, ms: number): void => {
    const pause: Pause = { ms, again: false, isOver: false, timer: undefined };
    clearTimeout(pauses.get(name)?.timer);
    pauses.set(name, pause);
    wait(name, pause, ms);
    void list(name).then((isListed) => {
      if (!isListed) pause.again = true;
    });
  };

  const end = (name: string, pause: Pause): void => {
    if (pause.again) begin(name, Math.min(2 * pause.ms, LONGEST_PAUSE_MS));
    else if (pause.isOver) pauses.delete(name);
    else {
      pause.isOver = true;
      wait(name, pause, LONGEST_PAUSE_MS);
    }
  };

  return {
    /** A server says that its list changed. Never waits. */
    hear(name: string): void {
      const known = pauses.get(name);
      if (known === undefined) {
        // Lists that nobody remembers here become stale by themselves.
        if (pauses.size < MAX_PAUSES) begin(name, PAUSE_MS);
      } else if (known.isOver) begin(name, Math.min(2 * known.ms, LONGEST_PAUSE_MS));
      else known.again = true;
    },

    /** Forgets all. */
    close(): void {
      for (const { timer } of pauses.values()) clearTimeout(timer);
      pauses.clear();
    },
  };
}
