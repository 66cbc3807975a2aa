import { tokenColumns } from '../data/encryption-setup.ts';
import type { TestGateway } from '../setup/gateway.ts';
import { sealText } from '../setup/sealed-text.ts';

/**
 * Connects a user to a server as the OAuth flow would. The tokens are encrypted.
 *
 * @param args.url where the access token may be sent. Without it, it cannot be used
 */
export async function insertUserToken(
  gateway: TestGateway,
  { configId, userId, url }: { configId: string; userId: string; url?: string },
): Promise<void> {
  const data = {
    mcpServerConfigId: configId,
    userId,
    ...tokenColumns('access', 'refresh'),
    ...(url !== undefined && { accessToken: sealText('access', url) }),
  };
  await gateway.prisma().mcpServerUserToken.create({ data });
}

/** How many users are connected to a server. */
export async function countUserTokens({ database }: TestGateway, configId: string): Promise<number> {
  const sql = 'SELECT count(*)::int AS count FROM mcp_server_user_tokens WHERE mcp_server_config_id = $1::uuid';
  const [row] = await database.query(sql, [configId]);
  return Number(row?.['count']);
}

/** Gives each of the gateway's users a reason to read in their connection state: why it ended, or what is missing. */
export async function insertReasons(gateway: TestGateway, configId: string): Promise<void> {
  const { database, userIds } = gateway;
  for (const userId of [userIds.admin, userIds.member]) await insertUserToken(gateway, { configId, userId });
  await database.query(
    "UPDATE mcp_server_user_tokens SET wanted_scopes = '{more}' WHERE mcp_server_config_id = $1::uuid",
    [configId],
  );
  for (const userId of [userIds.auditor, userIds.service]) {
    await database.query(
      'INSERT INTO mcp_server_ended_connections (mcp_server_config_id, user_id, reason) VALUES ($1::uuid, $2::uuid, $3)',
      [configId, userId, 'The authorization server ended it.'],
    );
  }
}
