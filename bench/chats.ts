import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { askAsAdmin } from './admin.ts';
import type { BenchDatabase } from './bench-database.ts';
import type { Question } from './measure.ts';

/** How many chats are asked for in turn. */
const CHATS = 1_000;

const QUERY = `query BenchChat($id: UUID!) { chat(id: $id) { mcpServers { source config { id slug displayName url: iconUrl } } } }`;

interface ChatAnswer {
  data: { chat: { mcpServers: { source: string; config: { id: string } }[] } | null };
}

/**
 * Makes a member's chats, each with a selection of its own, and asks for the servers of one after the other. They are
 * written into the table: users may not make so many at once.
 */
export async function createChatQuestion(
  { url: database }: BenchDatabase,
  { url, token }: { url: string; token: string },
): Promise<Question> {
  if (database === undefined) throw new Error('this needs PostgreSQL');
  const { viewer, mcpServerConfigs } = await askAsAdmin<{
    viewer: { id: string };
    mcpServerConfigs: { nodes: { id: string }[] };
  }>(url, token, '{ viewer { id } mcpServerConfigs(first: 50) { nodes { id } } }');
  const servers = mcpServerConfigs.nodes.map(({ id }) => id);
  const ids = Array.from({ length: CHATS }, () => randomUUID());
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    for (const [index, id] of ids.entries()) {
      const selected = servers.filter((_id, place) => (index >> (place % 10)) % 2 === 1);
      await client.query(
        'INSERT INTO chats (id, owner_id, title, mcp_server_ids, updated_at) VALUES ($1, $2, $3, $4, now())',
        [id, viewer.id, `Chat ${index}`, selected],
      );
    }
  } finally {
    await client.end();
  }
  let count = 0;
  return {
    next() {
      count += 1;
      return JSON.stringify({ query: QUERY, variables: { id: ids[count % ids.length] } });
    },
    isConstant: false,
    read(answer) {
      const servers = (answer as Partial<ChatAnswer>).data?.chat?.mcpServers;
      if (servers === undefined || servers.length === 0) throw new Error(`no servers: ${JSON.stringify(answer)}`);
      return servers;
    },
  };
}
