import { randomUUID } from 'node:crypto';
import { digestTool, type ToolDefinition } from '../../src/domain/catalogue/tool-definition.ts';
import type { UpstreamTools } from '../../src/domain/catalogue/upstream-tools.ts';
import type { TestGateway } from '../setup/gateway.ts';

const READ: ToolDefinition = {
  name: 'read',
  title: 'Read',
  description: 'Reads a file\u200b.',
  inputSchema: { type: 'object', properties: { path: { type: 'string' } } },
  outputSchema: { type: 'object' },
  annotations: {
    title: 'Read',
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
};
const READ_BEFORE = { ...READ, title: 'Reader', description: 'Reads a file.', inputSchema: { type: 'object' } };

/** The digest of the tool `read`, whose definition has changed since it was approved. */
export const TOOL_DIGEST = digestTool(READ);

/** Lists a tool of a server and one that is gone, and tells that the server was reached, with every value that may be missing. */
export async function insertTools(
  { database }: Pick<TestGateway, 'database'>,
  configId: string,
  name = 'read',
): Promise<void> {
  await database.query(
    `INSERT INTO mcp_server_tools (id, mcp_server_config_id, name, skeleton, definition, digest, status, changed_at,
       approved_digest, approved_definition, approved_at)
     VALUES ($1::uuid, $2::uuid, $7, $7, $3, $4, 'listed', now(), $5, $6, now())`,
    [
      randomUUID(),
      configId,
      JSON.stringify(READ),
      TOOL_DIGEST,
      digestTool(READ_BEFORE),
      JSON.stringify(READ_BEFORE),
      name,
    ],
  );
  await database.query(
    `INSERT INTO mcp_server_tools (id, mcp_server_config_id, name, skeleton, definition, digest, status, gone_at)
     VALUES ($1::uuid, $2::uuid, 'old', 'old', $3, $4, 'gone', now())`,
    [randomUUID(), configId, JSON.stringify({ ...READ, name: 'old' }), digestTool({ ...READ, name: 'old' })],
  );
  await database.query(
    `INSERT INTO mcp_server_reachability (mcp_server_config_id, reachable, checked_at, problem, latency_ms,
       protocol_version, server_name, server_version, instructions)
     VALUES ($1::uuid, true, now(), 'UNAUTHORIZED', 12, '2026-07-28', 'Files', '1.0', 'Be careful.')`,
    [configId],
  );
}

/** Lists the tool `read` of every server, without calling it. */
export const LISTS_READ: UpstreamTools = {
  listTools: async () => ({ kind: 'listed', tools: [READ], latencyMs: 1, server: null }),
};
