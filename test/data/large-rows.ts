import type { Database } from '../../src/data/database/database.ts';

/** Rows of each table that grows without an admin's doing, or with the number of users: many more than a statement may read. */
export const MANY = 30_000;
/** As many configs as the quota allows by default. */
export const CONFIGS = 5_000;

const KINDS = { user: 1, config: 2, chat: 3, apiToken: 4, session: 5, userToken: 6, tool: 7, message: 8, other: 9 };

/** The id of the row with this number. */
export function idOf(kind: keyof typeof KINDS, number: number): string {
  return `00000000-0000-4000-8${KINDS[kind].toString().padStart(3, '0')}-${number.toString(16).padStart(12, '0')}`;
}

/** The same in SQL. */
function sqlId(kind: keyof typeof KINDS, number: string): string {
  return `('00000000-0000-4000-8${KINDS[kind].toString().padStart(3, '0')}-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
}

/** A hash with this number, as tokens have. */
export function hashOf(number: number): string {
  return number.toString(16).padStart(64, '0');
}
const HASH = `lpad(to_hex(n), 64, '0')`;

const FIRST_MADE = new Date(Date.UTC(2026, 0, 1));

/** When the row with this number was made. Two rows have the same time. */
export function timeOf(number: number): Date {
  return new Date(FIRST_MADE.getTime() + Math.floor(number / 2) * 1_000);
}
/** The same in SQL, and when the row ends. */
const TIME = `$made::timestamptz + (n / 2) * interval '1 second'`;
const END = `${TIME} + $lifetime::interval`;

/** What fills each table: columns, and the values of row `n`. */
const TABLES: readonly { table: string; rows?: number; columns: string; values: string }[] = [
  {
    table: 'users',
    columns: 'id, email, role, status, oidc_issuer, oidc_subject, created_at',
    values: `${sqlId('user', 'n')}, 'user-' || n || '@example.com',
      CASE WHEN n % 5000 = 0 THEN 'admin' WHEN n % 1000 = 1 THEN 'auditor' ELSE 'member' END,
      CASE WHEN n % 500 = 2 THEN 'suspended' ELSE 'active' END, 'https://id.example.com', 's' || n, ${TIME}`,
  },
  {
    table: 'mcp_server_configs',
    rows: CONFIGS,
    columns: 'id, slug, display_name, url, auth_type, availability, enabled, created_by, created_at, updated_at',
    values: `${sqlId('config', 'n')}, 'config-' || n, 'Config ' || (n / 2), 'https://mcp.example.com/',
      CASE WHEN n % 4 = 0 THEN 'oauth2' ELSE 'none' END, CASE WHEN n % 1000 = 0 THEN 'force_on' ELSE 'default_off' END,
      n % 10 > 0, ${sqlId('user', 'n')}, ${TIME}, ${TIME}`,
  },
  {
    table: 'api_tokens',
    columns: 'id, user_id, name, token_hash, scopes, created_at, expires_at, revoked_at, last_used_at',
    values: `${sqlId('apiToken', 'n')}, ${sqlId('user', 'n / 4 + 1')}, 'token ' || n, ${HASH},
      CASE WHEN n % 9 = 0 THEN '{mcp}' ELSE '{graph,mcp}' END::text[], ${TIME}, CASE WHEN n % 3 = 0 THEN ${END} END,
      CASE WHEN n % 7 = 0 THEN ${TIME} END, CASE WHEN n % 2 = 0 THEN ${TIME} END`,
  },
  {
    table: 'sessions',
    columns:
      'id, token_hash, user_id, api_token_id, oidc_issuer, oidc_session_id, created_at, last_seen_at, expires_at',
    values: `${sqlId('session', 'n')}, ${HASH}, ${sqlId('user', 'n / 4 + 1')}, ${sqlId('apiToken', 'n')},
      'https://id.example.com', 'sid-' || n, ${TIME}, ${TIME}, ${END} + interval '30 days'`,
  },
  {
    table: 'sign_in_links',
    columns: 'token_hash, user_id, expires_at',
    values: `${HASH}, ${sqlId('user', 'n')}, ${END}`,
  },
  {
    table: 'mcp_server_user_tokens',
    columns: 'id, mcp_server_config_id, user_id, access_token, access_token_key_id, refresh_token, expires_at',
    values: `${sqlId('userToken', 'n')}, ${sqlId('config', `n % ${CONFIGS} + 1`)}, ${sqlId('user', 'n / 4 + 1')}, 'x', $1,
      CASE WHEN n % 3 > 0 THEN 'x' END, ${END}`,
  },
  {
    table: 'mcp_server_ended_connections',
    columns: 'mcp_server_config_id, user_id, reason',
    values: `${sqlId('config', `n % ${CONFIGS} + 1`)}, ${sqlId('user', 'n / 4 + 50000')}, 'x'`,
  },
  {
    table: 'mcp_server_scope_requests',
    columns: 'mcp_server_config_id, user_id',
    values: `${sqlId('config', `n % ${CONFIGS} + 1`)}, ${sqlId('user', 'n / 4 + 50000')}`,
  },
  {
    table: 'mcp_oauth_flows',
    columns: `id, state_hash, browser_hash, mcp_server_config_id, user_id, issuer, is_iss_required, token_url, client_id,
      code_verifier, code_verifier_key_id, created_at, expires_at`,
    values: `${sqlId('other', 'n')}, ${HASH}, ${HASH}, ${sqlId('config', `n % ${CONFIGS} + 1`)}, ${sqlId('user', 'n / 4 + 1')},
      '', false, 'https://login.example.com/token', 'c', 'x', $1, ${TIME}, ${END} + interval '10 minutes'`,
  },
  {
    table: 'mcp_server_tools',
    columns: 'id, mcp_server_config_id, user_id, name, skeleton, definition, digest, status, approved_digest',
    values: `${sqlId('tool', 'n')}, ${sqlId('config', `n % ${CONFIGS} + 1`)}, NULL, 'tool-' || n, 'tool-' || n, '{}', ${HASH},
      'listed', CASE WHEN n % 2 = 0 THEN ${HASH} END`,
  },
  {
    table: 'mcp_server_tool_lists',
    columns: 'id, mcp_server_config_id, user_id',
    values: `${sqlId('other', 'n')}, ${sqlId('config', `n % ${CONFIGS} + 1`)}, ${sqlId('user', 'n / 4 + 1')}`,
  },
  {
    table: 'mcp_server_imported_approvals',
    columns: 'id, mcp_server_config_id, name, digest, approved_at',
    values: `${sqlId('other', 'n')}, ${sqlId('config', `n % ${CONFIGS} + 1`)}, 'tool-' || n, ${HASH}, ${TIME}`,
  },
  {
    table: 'chats',
    columns: 'id, owner_id, title, mcp_server_ids, created_at',
    values: `${sqlId('chat', 'n')}, CASE WHEN n % 2 = 0 THEN ${sqlId('user', '5000')} ELSE ${sqlId('user', 'n / 4 + 1')} END,
      'Chat ' || n, ARRAY[${sqlId('config', `n % ${CONFIGS} + 1`)}], ${TIME}`,
  },
  {
    table: 'chat_messages',
    columns: 'id, chat_id, content, created_at',
    values: `${sqlId('message', 'n')}, CASE WHEN n % 2 = 0 THEN ${sqlId('chat', '2')} ELSE ${sqlId('chat', 'n')} END, 'x', ${TIME}`,
  },
  {
    table: 'mcp_server_call_hours',
    columns: 'mcp_server_config_id, hour, calls, errors, denied, durations',
    values: `${sqlId('config', `n % ${CONFIGS} + 1`)}, ${TIME}, 1, 0, 0, '{1}'`,
  },
  {
    table: 'mcp_server_callers',
    columns: 'mcp_server_config_id, user_id, last_hour',
    values: `${sqlId('config', `n % ${CONFIGS} + 1`)}, ${sqlId('user', 'n / 4 + 1')}, ${TIME}`,
  },
  { table: 'user_usage', columns: 'user_id, chats', values: `${sqlId('user', 'n')}, 1` },
  {
    table: 'config_changes',
    columns: 'rev, kind, config_id, occurred_at',
    values: `n, 'updated', ${sqlId('config', `n % ${CONFIGS} + 1`)}, ${TIME}`,
  },
  {
    table: 'audit_entries',
    columns: 'seq, occurred_at, actor_kind, actor_id, action, outcome, target_type, target_id, previous_hash, hash',
    values: `n, ${TIME}, 'user', ${sqlId('user', 'n % 1000 + 1')},
      CASE WHEN n % 50 = 0 THEN 'mcpServerConfig.update' ELSE 'session.create' END,
      CASE WHEN n % 20 = 0 THEN 'denied' ELSE 'success' END, 'mcp_server_config',
      (${sqlId('config', `n % ${CONFIGS} + 1`)})::text, ${HASH}, ${HASH}`,
  },
  { table: 'deleted_identities', columns: 'issuer, subject, deleted_at', values: `'i', 's' || n, ${TIME}` },
  { table: 'oidc_single_uses', columns: 'digest, expires_at', values: `${HASH}, ${END}` },
  {
    table: 'oidc_logouts',
    columns: 'digest, issued_at, received_at, expires_at',
    values: `${HASH}, ${TIME}, ${TIME}, ${END}`,
  },
  { table: 'rate_counts', columns: 'name, points, ends_at', values: `'n' || n, 1, ${END}` },
];

/** Turns triggers and references off in the statement that begins with it. */
const OFF = `WITH off AS MATERIALIZED (SELECT set_config('session_replication_role', 'replica', true) AS is_off)`;

/**
 * Fills a PostgreSQL server's database as years of use would. Constraints and triggers are not asked.
 *
 * @param digest of a registered key
 */
export async function fillTables(
  database: Database,
  digest: string,
  {
    most = MANY,
    made = FIRST_MADE,
    lifetime = '0 seconds',
  }: {
    /** Rows of a table. */
    most?: number;
    /** When the first row was made, and the others one after the other. */
    made?: Date;
    /** How long what expires is good, at least: an interval of PostgreSQL. */
    lifetime?: string;
  } = {},
): Promise<void> {
  const texts = { $1: digest, $made: made.toISOString(), $lifetime: lifetime };
  await database.query(`DO $$ DECLARE each RECORD; BEGIN
    FOR each IN SELECT conrelid::regclass AS "table", conname FROM pg_constraint
      WHERE contype = 'c' AND connamespace = 'public'::regnamespace
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', each."table", each.conname); END LOOP; END $$`);
  for (const { table, rows = most, columns, values } of TABLES) {
    const given = Object.entries(texts).reduce((sql, [name, text]) => sql.replaceAll(name, `'${text}'`), values);
    await database.query(
      `${OFF} INSERT INTO ${table} (${columns}) SELECT ${given} FROM off, generate_series(1, ${Math.min(rows, most)}) AS n`,
    );
  }
  await database.query('UPDATE feed_counter SET n = $1::bigint WHERE id = 1', [most]);
  await database.query(`${OFF} UPDATE audit_chain SET seq = ${most} FROM off WHERE id = 1`);
  await database.query('VACUUM ANALYZE');
}
