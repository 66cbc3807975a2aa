// A service that mirrors all MCP server configs without missing a change. It subscribes, remembers the cursor of the
// last event, and resumes there after any disconnect. Run it against a gateway with the token of a service or an admin:
//
//   npx tsx examples/mirror.ts http://localhost:4000/graphql "$TOKEN"

import { setTimeout as delay } from 'node:timers/promises';
import { createClient, NetworkError } from 'graphql-sse';

interface Config {
  id: string;
  slug: string;
  enabled: boolean;
  version: number;
}
interface ConfigEvent {
  type: 'ADDED' | 'MODIFIED' | 'REMOVED' | 'BOOKMARK';
  cursor: string;
  configId: string | null;
  config: Config | null;
}

const EVENTS = `subscription Mirror($after: String, $includeInitial: Boolean!) {
  mcpServerConfigEvents(after: $after, includeInitial: $includeInitial) {
    type cursor configId config { id slug enabled version }
  }
}`;
/** The gateway sends something at least every 15 seconds. After this long without data, the connection is dead. */
const SILENCE_MS = 40_000;

const [url = 'http://localhost:4000/graphql', token = ''] = process.argv.slice(2);
const client = createClient({ url, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 });

let mirror: ReadonlyMap<string, Config> = new Map();
/** The map that events are applied to: the mirror, or a new one while the first snapshot arrives. */
let target = new Map<string, Config>();
/** Store it together with the mirror, and a restart resumes where it stopped. */
let cursor: string | undefined;
let failures = 0;

function apply({ type, configId, config, ...event }: ConfigEvent): void {
  if (type === 'REMOVED') target.delete(String(configId));
  else if (config !== null) target.set(config.id, config);
  else mirror = target; // A bookmark: the snapshot is complete.
  cursor = event.cursor;
  failures = 0;
  const what = type === 'BOOKMARK' ? `${mirror.size} configs` : (config?.slug ?? configId);
  console.log(`${type} ${what}${config?.enabled === false ? ' (disabled)' : ''}`);
}

async function follow(): Promise<void> {
  if (cursor === undefined) target = new Map();
  const variables = { after: cursor, includeInitial: cursor === undefined };
  const events = client.iterate<{ mcpServerConfigEvents: ConfigEvent }>({ query: EVENTS, variables });
  try {
    for (;;) {
      const watch = new AbortController();
      const silence = delay(SILENCE_MS, undefined, { signal: watch.signal }).then(() => Promise.reject('silence'));
      const { value, done } = await Promise.race([events.next(), silence]).finally(() => watch.abort());
      if (done === true) return;
      const code = value.errors?.[0]?.extensions?.['code'];
      if (code === 'CURSOR_EXPIRED' || code === 'CURSOR_INVALID') cursor = undefined;
      if (code !== undefined) throw code;
      if (value.data != null) apply(value.data.mcpServerConfigEvents);
    }
  } finally {
    void events.return?.();
  }
}

for (;;) {
  try {
    await follow();
  } catch (reason) {
    const isRefused = reason instanceof NetworkError && reason.response?.status === 401;
    console.error(`Cut off: ${reason instanceof Error ? reason.message : String(reason)}`);
    if (isRefused || reason === 'UNAUTHENTICATED') process.exit(1);
  }
  // Random delay, so that clients that were cut off together do not all reconnect at once.
  await delay(Math.min(250 * 2 ** failures, 30_000) * (0.5 + Math.random() / 2));
  failures += 1;
}
