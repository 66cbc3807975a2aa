import type { Memory } from '../../data/memory/memory.ts';
import type { ConfigChangeRecord, McpServerConfigRecord } from '../../data/records.ts';

const BATCH = 100;
const WAIT_MS = 60_000;

/**
 * Calls `onChange` for each change from now on, with the config as it is now. Changes that were missed, because the
 * feed had to start again, are left out.
 *
 * @returns a function that stops it
 */
export function followChanges(
  { reader, configsAtHead }: Pick<Memory, 'reader' | 'configsAtHead'>,
  onChange: (change: ConfigChangeRecord, config: McpServerConfigRecord | undefined) => void,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  let rev = reader.head();
  let resets = reader.resets();

  const readNext = async (): Promise<void> => {
    if (reader.resets() !== resets) {
      resets = reader.resets();
      rev = reader.head();
    }
    const changes = await reader.readAfter(rev, BATCH);
    if (changes.length === 0) return reader.waitBeyond(rev, WAIT_MS, signal);
    const configs = await configsAtHead();
    for (const change of changes) {
      ({ rev } = change);
      onChange(change, configs.findById(change.configId));
    }
  };

  const following = (async () => {
    while (!signal.aborted) {
      await readNext().catch(async (error: unknown) => {
        onError(error);
        await reader.waitBeyond(reader.head(), 1_000, signal);
      });
    }
  })();

  return () => {
    stop.abort();
    return following;
  };
}
