import type { Database } from '../src/data/database/database.ts';
import { generateApiToken, hashToken } from '../src/domain/credentials/token-format.ts';
import { askAsAdmin } from './admin.ts';

const CONNECTIONS_OF_USER = 100;
const PAGE = 500;

/** Turns triggers off in the statement that begins with it: nobody is listening yet. */
const OFF = `WITH off AS MATERIALIZED (SELECT set_config('session_replication_role', 'replica', true) AS is_off)`;

/** The id of the row with this number, in SQL. */
const sqlId = (kind: number, number: string): string =>
  `('00000000-0000-4000-8${String(kind).padStart(3, '0')}-' || lpad(to_hex(${number}), 12, '0'))::uuid`;

const tokens: string[] = [];

/**
 * Puts configs, and users with connections, into a database that no gateway uses. It has been migrated, and has a key.
 * Half of the configs use OAuth 2.
 */
export async function fillServers(database: Database, counts: { configs: number; connections: number }): Promise<void> {
  const users = Math.ceil(counts.connections / CONNECTIONS_OF_USER);
  await database.query(`${OFF} INSERT INTO mcp_server_configs (id, slug, display_name, description, url, auth_type,
      oauth2_client_id, oauth2_auth_url, oauth2_token_url, availability, enabled, updated_at)
    SELECT ${sqlId(1, 'n')}, 'config-' || n, 'Config ' || n,
      'Searches the tickets, pages and chats of one team, and opens, closes and comments on them.',
      'https://mcp-' || n || '.example.com/mcp', CASE WHEN n % 2 = 0 THEN 'oauth2' ELSE 'none' END,
      CASE WHEN n % 2 = 0 THEN 'gatehouse' ELSE '' END,
      CASE WHEN n % 2 = 0 THEN 'https://login.example.com/authorize' ELSE '' END,
      CASE WHEN n % 2 = 0 THEN 'https://login.example.com/token' ELSE '' END, 'default_off', true, now()
    FROM off, generate_series(1, ${counts.configs}) AS n`);
  await database.query(`${OFF} INSERT INTO users (id, email, role, status)
    SELECT ${sqlId(2, 'n')}, 'user-' || n || '@example.com', 'member', 'active'
    FROM off, generate_series(1, ${users}) AS n`);
  // Nobody opens these.
  await database.query(
    'ALTER TABLE mcp_server_user_tokens DROP CONSTRAINT IF EXISTS mcp_server_user_tokens_access_token_sealed',
  );
  await database.query(`${OFF} INSERT INTO mcp_server_user_tokens
      (id, mcp_server_config_id, user_id, access_token, access_token_key_id)
    SELECT ${sqlId(3, 'n')}, ${sqlId(1, `(n % ${Math.floor(counts.configs / 2)} + 1) * 2`)},
      ${sqlId(2, `n / ${CONNECTIONS_OF_USER} + 1`)}, 'x', (SELECT active_digest FROM encryption_keys LIMIT 1)
    FROM off, generate_series(0, ${counts.connections - 1}) AS n`);
  for (let user = 1; user <= users; user += 1) {
    const token = generateApiToken().expose();
    tokens.push(token);
    await database.query(
      `INSERT INTO api_tokens (id, user_id, name, token_hash)
       VALUES (${sqlId(4, '$1::int')}, ${sqlId(2, '$1::int')}, 'bench', $2)`,
      [user, hashToken(token)],
    );
  }
}

/** Reads all configs as the admin, and the first page of each user, so that all of it is in memory. */
export async function askForServers(url: string, adminToken: string, configs: number): Promise<void> {
  const query = `query ($first: Int!, $after: String) { mcpServerConfigs(first: $first, after: $after) {
    pageInfo { endCursor } nodes { id slug authConnected viewerState } } }`;
  type Answer = { mcpServerConfigs: { pageInfo: { endCursor: string }; nodes: { viewerState: string }[] } };
  let after: string | undefined;
  for (let read = 0; read < configs; ) {
    const { mcpServerConfigs } = await askAsAdmin<Answer>(url, adminToken, query, { first: PAGE, after });
    read += mcpServerConfigs.nodes.length;
    if (mcpServerConfigs.nodes.length === 0) throw new Error(`only ${read} configs`);
    after = mcpServerConfigs.pageInfo.endCursor;
  }
  for (const token of tokens) await askAsAdmin<Answer>(url, token, query, { first: PAGE });
}
