import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { hashToken } from '../../src/domain/credentials/token-format.ts';
import { LIST_SIZE } from '../list-query.ts';

// The same answer written by hand, without GraphQL, policy or ORM: two statements and JSON.stringify.
const { values } = parseArgs({ options: { database: { type: 'string' } } });
const pool = new pg.Pool({ connectionString: values.database, max: 10 });

const FIND_USER = `
  SELECT users.id FROM api_tokens JOIN users ON users.id = api_tokens.user_id
  WHERE token_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AND status = 'active'`;

const LIST = `
  SELECT id, slug, display_name AS "displayName", description, NULLIF(icon_url, '') AS "iconUrl",
    upper(auth_type) AS "authType", upper(availability) AS availability, enabled,
    tool_allow_list AS "toolAllowList", tool_deny_list AS "toolDenyList",
    oauth2_client_secret_key_id IS NOT NULL AS "hasOAuth2Secret", api_key_value_key_id IS NOT NULL AS "hasApiKey",
    custom_headers_key_id IS NOT NULL AS "hasCustomHeaders", is_connected AS "authConnected",
    CASE WHEN is_connected THEN 'READY' ELSE 'NEEDS_CONNECT' END AS "viewerState",
    version, created_at AS "createdAt", updated_at AS "updatedAt"
  FROM mcp_server_configs config
  CROSS JOIN LATERAL (
    SELECT auth_type <> 'oauth2' OR EXISTS (
      SELECT FROM mcp_server_user_tokens WHERE mcp_server_config_id = config.id AND user_id = $1
    ) AS is_connected
  ) connection
  WHERE enabled ORDER BY display_name, id LIMIT ${LIST_SIZE}`;

async function answer(authorization = ''): Promise<{ status: number; body: unknown }> {
  const users = await pool.query<{ id: string }>(FIND_USER, [hashToken(authorization.replace(/^Bearer /, ''))]);
  const [user] = users.rows;
  if (user === undefined) return { status: 401, body: { errors: [{ message: 'Who are you?' }] } };
  const { rows: nodes } = await pool.query(LIST, [user.id]);
  return { status: 200, body: { data: { mcpServerConfigs: { nodes } } } };
}

createServer((request, response) => {
  request.resume().once('end', async () => {
    const { status, body } = await answer(request.headers.authorization);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
}).listen(Number(process.env['PORT']), '127.0.0.1');
