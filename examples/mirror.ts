// A service that mirrors all MCP server configs without missing a change. The client remembers the cursor of the last
// event, and resumes there after any disconnect. Run it against a gateway with the token of a service or an admin, after
// `npm start` or `npm run build` has built the client:
//
//   npx tsx examples/mirror.ts http://localhost:4000/graphql "$TOKEN"

import { createGatehouseClient, type FollowedConfig, GatehouseError } from 'mcp-gatehouse-client';

const [url = 'http://localhost:4000/graphql', token = ''] = process.argv.slice(2);
const client = createGatehouseClient({ url, token });

let mirror: ReadonlyMap<string, FollowedConfig> = new Map();
/** The map that events are applied to: the mirror, or a new one while the first snapshot arrives. */
let target = new Map<string, FollowedConfig>();

const events = client.follow({
  ifCursorLost: 'restart',
  onRetry: ({ error, delayMs }) => console.error(`Cut off: ${error?.message ?? 'done'} Again in ${delayMs | 0} ms.`),
});
try {
  // Store event.cursor together with the mirror and pass it as `after`, and a restart resumes where it stopped.
  for await (const event of events) {
    if (event.type === 'RESET') {
      target = new Map();
      continue;
    }
    const { type, configId, config } = event;
    if (type === 'REMOVED') target.delete(String(configId));
    else if (config !== null) target.set(config.id, config);
    else mirror = target; // A bookmark: the snapshot is complete.
    const what = type === 'BOOKMARK' ? `${mirror.size} configs` : (config?.slug ?? configId);
    console.log(`${type} ${what}${config?.enabled === false ? ' (disabled)' : ''}`);
  }
} catch (error) {
  console.error(error instanceof GatehouseError ? `${error.code}: ${error.message}` : error);
  process.exit(1);
}
