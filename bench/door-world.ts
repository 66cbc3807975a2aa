import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { askAsAdmin } from './admin.ts';
import type { BenchDatabase } from './bench-database.ts';
import { buildGateway, startBuilt } from './built-gateway.ts';
import type { Contestant } from './contestant.ts';
import type { McpTarget } from './mcp-load.ts';

const PATIENCE_MS = 60_000;
/** How many users are created at once. */
const AT_ONCE = 16;
/** No limit of a user's calls in a minute: a benchmark is one user. */
const UNLIMITED = '100000000';

/** A gateway in front of many servers, which are all the same one. */
export interface DoorBench {
  gateway: Contestant;
  /** The doors of chats with so many servers. */
  door(servers: number): Promise<McpTarget>;
  /** The door of one of the servers, as so many users. */
  callers(count: number): Promise<McpTarget[]>;
}

/** Starts one, and lists the tools of all servers. Stop the gateway. */
export async function startDoorBench(
  database: BenchDatabase,
  { upstream, servers, env }: { upstream: string; servers: number; env?: Readonly<Record<string, string>> },
): Promise<DoorBench> {
  const adminToken = randomBytes(24).toString('base64url');
  buildGateway();
  const gateway = await startBuilt({
    GATEHOUSE_ADMIN_TOKEN: adminToken,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    GATEHOUSE_DATA_DIR: database.folder,
    GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8',
    GATEHOUSE_MAX_OPERATIONS_PER_MINUTE: UNLIMITED,
    GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: UNLIMITED,
    GATEHOUSE_MAX_TOOL_CALLS_PER_SERVER_PER_MINUTE: UNLIMITED,
    ...(database.url !== undefined && { DATABASE_URL: database.url }),
    ...env,
  });
  try {
    return await fill(gateway, adminToken, { upstream, servers });
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

async function fill(
  gateway: Contestant,
  adminToken: string,
  { upstream, servers }: { upstream: string; servers: number },
): Promise<DoorBench> {
  const ask = <Data>(query: string, variables: object = {}, token = adminToken): Promise<Data> =>
    askAsAdmin<Data>(gateway.url, token, query, variables);
  const ids: string[] = [];
  for (let index = 0; index < servers; index += 1) {
    const slug = `server-${index}`;
    const input = { displayName: slug, slug, url: `${upstream}/${slug}`, enabled: true, availability: 'DEFAULT_OFF' };
    const query = `mutation ($input: CreateMcpServerConfigInput!) {
      createMcpServerConfig(input: $input) { mcpServerConfig { id } } }`;
    type Created = { createMcpServerConfig: { mcpServerConfig: { id: string } } };
    ids.push((await ask<Created>(query, { input })).createMcpServerConfig.mcpServerConfig.id);
  }
  await waitForLists(ask, servers);

  const createMember = async (): Promise<string> => {
    const email = `${randomBytes(8).toString('hex')}@example.com`;
    const create = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }';
    const { createUser } = await ask<{ createUser: { user: { id: string } } }>(create, { input: { email } });
    const mint = 'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }';
    const input = { userId: createUser.user.id, name: 'bench' };
    return (await ask<{ createApiToken: { token: string } }>(mint, { input })).createApiToken.token;
  };
  const token = await createMember();
  return {
    gateway,
    async door(count) {
      const query = 'mutation ($input: CreateChatInput!) { createChat(input: $input) { chat { id } } }';
      const input = { title: `${count} servers`, mcpServerIds: ids.slice(0, count) };
      const { createChat } = await ask<{ createChat: { chat: { id: string } } }>(query, { input }, token);
      return { url: new URL(`/mcp/chats/${createChat.chat.id}`, gateway.url).href, token };
    },
    async callers(count) {
      const url = new URL('/mcp/servers/server-0', gateway.url).href;
      const targets: McpTarget[] = [];
      const create = async (): Promise<void> => {
        while (targets.length < count) {
          const target: McpTarget = { url };
          targets.push(target);
          target.token = await createMember();
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, create));
      return targets;
    },
  };
}

async function waitForLists(ask: <Data>(query: string) => Promise<Data>, servers: number): Promise<void> {
  const query = `{ mcpServerConfigs(first: ${servers}) { nodes { tools(first: 1) { totalCount } } } }`;
  for (const begun = performance.now(); performance.now() - begun < PATIENCE_MS; await delay(100)) {
    type Listed = { mcpServerConfigs: { nodes: { tools: { totalCount: number } }[] } };
    const { mcpServerConfigs } = await ask<Listed>(query);
    if (mcpServerConfigs.nodes.every(({ tools }) => tools.totalCount > 0)) return;
  }
  throw new Error('the servers are not listed');
}
