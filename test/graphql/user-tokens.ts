import { createPrisma } from '../../src/data/prisma.ts';
import { tokenColumns } from '../data/encryption-setup.ts';
import type { TestGateway } from '../setup/gateway.ts';

/** Connects a user to a server, as the OAuth flow would. The tokens are sealed. */
export async function insertUserToken(
  { database, keyring }: TestGateway,
  { configId, userId }: { configId: string; userId: string },
): Promise<void> {
  const prisma = createPrisma(database, keyring);
  try {
    const data = { mcpServerConfigId: configId, userId, ...tokenColumns('access', 'refresh') };
    await prisma.mcpServerUserToken.create({ data });
  } finally {
    await prisma.$disconnect();
  }
}

/** How many users are connected to a server. */
export async function countUserTokens({ database }: TestGateway, configId: string): Promise<number> {
  const sql = 'SELECT count(*)::int AS count FROM mcp_server_user_tokens WHERE mcp_server_config_id = $1::uuid';
  const [row] = await database.query(sql, [configId]);
  return Number(row?.['count']);
}
