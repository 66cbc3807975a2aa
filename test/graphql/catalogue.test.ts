// On both databases: leases, locks and triggers.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { McpServerConfigRecord } from '../../src/data/records.ts';
import type { UpstreamListing } from '../../src/domain/catalogue/upstream-tools.ts';
import { MCP_LIMITS } from '../../src/limits/mcp-limits.ts';
import { onMainDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, update } from './config-operations.ts';
import { openEvents } from './sse-client.ts';
import { insertUserToken } from './user-tokens.ts';

const SERVER = { protocolVersion: '2026-07-28', name: 'Files', version: '1.2.3', instructions: 'Be careful.' };

/** What servers answer, by slug and, for users' own lists, by slug and user. Absent: the server is unreachable. */
const answers = new Map<string, UpstreamListing>();
/** Servers called so answer when this does. */
let hanging: Promise<void> | undefined;
/** Servers called so cannot be listed: what the gateway itself needs for it fails. */
const broken = new Set<string>();
/** Who listed which server. */
let calls: string[] = [];

async function listTools({ slug }: McpServerConfigRecord, userId: string | null): Promise<UpstreamListing> {
  calls.push(userId === null ? slug : `${slug} ${userId}`);
  if (slug.startsWith('hangs-')) await hanging;
  if (broken.has(slug)) throw new Error('the database does not answer');
  const found = answers.get(`${slug} ${userId}`) ?? answers.get(slug);
  return found ?? { kind: 'failed', isReachable: false, problem: 'TIMEOUT', latencyMs: 7, server: null };
}

function tool(name: string, more: object = {}): object {
  return { name, description: `Does ${name}.`, inputSchema: { type: 'object' }, ...more };
}

function listed(tools: readonly object[], more: { ttlMs?: number; cacheScope?: 'public' | 'private' } = {}) {
  return { kind: 'listed', tools, latencyMs: 5, server: SERVER, ...more } as const;
}

let gateway: TestGateway;
/** Lists in the background, too. */
let live: TestGateway;
let serial = 0;
let slug: string;
let id: string;

beforeAll(async () => {
  gateway = await createTestGateway({ upstreamTools: { listTools } });
  live = await createTestGateway({ upstreamTools: { listTools }, listsInBackground: true });
});
afterAll(async () => {
  await gateway?.close();
  await live?.close();
});

const define = async (fields: object = {}): Promise<void> => {
  serial += 1;
  slug = `files-${serial}`;
  id = await createId(gateway, {
    slug,
    displayName: slug,
    url: 'https://mcp.example.com/mcp',
    enabled: true,
    ...fields,
  });
};

beforeEach(async () => {
  calls = [];
  answers.clear();
});

async function ask(role: 'admin' | 'auditor' | 'member', fields: string): Promise<any> {
  const query = `{ mcpServerConfig(id: "${id}") { ${fields} } }`;
  const { data, errors } = await gateway.graphql(query, { token: gateway.tokens[role] });
  expect(errors).toBeUndefined();
  return data.mcpServerConfig;
}

const namesOf = async (role: 'admin' | 'member'): Promise<string[]> => {
  const { tools } = await ask(role, 'tools { nodes { name decision } }');
  return tools.nodes.map(({ name, decision }: { name: string; decision: string }) => `${name} ${decision}`);
};

const refresh = async (): Promise<{ problem: string | null; approvedCount: number }> => {
  const query = `mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem approvedCount } }`;
  const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.admin });
  expect(errors).toBeUndefined();
  return data.refreshMcpServerTools;
};

const approve = (tools: readonly { name: string; digest: string }[]) =>
  gateway.graphql('mutation ($input: ApproveMcpToolsInput!) { approveMcpTools(input: $input) { config { id } } }', {
    token: gateway.tokens.admin,
    variables: { input: { id, tools } },
  });

const digestsOf = async (): Promise<any[]> => (await ask('admin', 'tools { nodes { name digest } }')).tools.nodes;

describe('listing', () => {
  test('shows the tools, what the server says about itself, and that it answers', async () => {
    await define();
    expect(await ask('member', 'reachability { state checkedAt } tools { totalCount }')).toEqual({
      reachability: { state: 'UNKNOWN', checkedAt: null },
      tools: { totalCount: 0 },
    });
    answers.set(slug, listed([tool('write'), tool('read', { title: 'Read' })]));
    expect(await refresh()).toEqual({ problem: null, approvedCount: 0 });
    expect(await namesOf('member')).toEqual(['read ALLOWED', 'write ALLOWED']);
    const fields = 'reachability { state problem latencyMs protocolVersion serverName serverVersion instructions }';
    const { protocolVersion, name: serverName, version: serverVersion, instructions } = SERVER;
    const more = { protocolVersion, serverName, serverVersion, instructions };
    expect(await ask('auditor', fields)).toEqual({
      reachability: { state: 'REACHABLE', problem: null, latencyMs: 5, ...more },
    });
    const hidden = { problem: null, latencyMs: null, protocolVersion: null, serverName: null };
    expect(await ask('member', fields)).toEqual({
      reachability: { state: 'REACHABLE', ...hidden, serverVersion: null, instructions: null },
    });
  });

  test('that fails changes no tool, and says why', async () => {
    await define();
    answers.set(slug, listed([tool('read')]));
    await refresh();
    answers.delete(slug);
    expect(await refresh()).toEqual({ problem: 'TIMEOUT', approvedCount: 0 });
    expect(await namesOf('member')).toEqual(['read ALLOWED']);
    expect(await ask('admin', 'reachability { state problem }')).toEqual({
      reachability: { state: 'UNREACHABLE', problem: 'TIMEOUT' },
    });
    const readStatus = async (caller: 'admin' | 'auditor' | 'member') => {
      const query =
        '{ gatewayStatus { unreachableServerCount unreachableServers { id } changeFeed { isListening unreadCount lagMs } } }';
      return gateway.graphql(query, { token: gateway.tokens[caller] });
    };
    const { data } = await readStatus('auditor');
    expect(data.gatewayStatus).toEqual({
      unreachableServerCount: data.gatewayStatus.unreachableServers.length,
      unreachableServers: expect.arrayContaining([{ id }]),
      changeFeed: { isListening: true, unreadCount: 0, lagMs: expect.any(Number) },
    });
    expect((await readStatus('member')).errors?.[0].extensions.code).toBe('FORBIDDEN');
    // Nobody calls a server that is turned off.
    await update(gateway, id, { enabled: false });
    const after = await readStatus('admin');
    expect(after.data.gatewayStatus.unreachableServers).not.toContainEqual({ id });
    expect(after.data.gatewayStatus.unreachableServerCount).toBe(data.gatewayStatus.unreachableServerCount - 1);
  });

  test('shows staff which tools are gone, and since when; members do not see them', async () => {
    await define();
    answers.set(slug, listed([tool('read'), tool('write')]));
    await refresh();
    answers.set(slug, listed([tool('read')]));
    await refresh();
    expect(await namesOf('member')).toEqual(['read ALLOWED']);
    expect(await namesOf('admin')).toEqual(['read ALLOWED', 'write GONE']);
    const { tools } = await ask('admin', 'tools(filter: { decision: GONE }) { totalCount nodes { goneAt } }');
    expect(tools).toEqual({ totalCount: 1, nodes: [{ goneAt: gateway.clock.now.toISOString() }] });
  });

  test('is paged by name', async () => {
    await define();
    answers.set(slug, listed(['d', 'b', 'a', 'c'].map((name) => tool(name))));
    await refresh();
    const first = await ask('member', 'tools(first: 3) { nodes { name } pageInfo { hasNextPage endCursor } }');
    expect(first.tools.nodes.map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'c']);
    const { endCursor } = first.tools.pageInfo;
    const rest = await ask('member', `tools(after: "${endCursor}") { nodes { name } pageInfo { hasNextPage } }`);
    expect(rest.tools).toEqual({ nodes: [{ name: 'd' }], pageInfo: { hasNextPage: false } });
  });

  test('obeys the lists, and members see only what they may use', async () => {
    await define({ toolAllowList: ['a', 'b'], toolDenyList: ['b'] });
    answers.set(slug, listed([tool('a'), tool('b'), tool('c')]));
    await refresh();
    expect(await namesOf('member')).toEqual(['a ALLOWED']);
    expect(await namesOf('admin')).toEqual(['a ALLOWED', 'b DENIED', 'c NOT_ALLOWED']);
  });
});

describe.runIf(onMainDatabase)('pinned tools', () => {
  test('are approved with the first list of an admin, and wait when one invisible character changes', async () => {
    await define({ toolApproval: 'PIN' });
    answers.set(slug, listed([tool('read'), tool('write')]));
    expect(await refresh()).toEqual({ problem: null, approvedCount: 2 });
    expect(await namesOf('member')).toEqual(['read ALLOWED', 'write ALLOWED']);
    answers.set(slug, listed([tool('read', { description: 'Does\u200b read.' }), tool('write'), tool('new')]));
    expect(await refresh()).toEqual({ problem: null, approvedCount: 0 });
    expect(await namesOf('member')).toEqual(['write ALLOWED']);
    expect(await namesOf('admin')).toEqual(['new PENDING', 'read PENDING', 'write ALLOWED']);
    const fields = 'name warnings change { description { kind text } fields { path } }';
    const { tools } = await ask('admin', `tools(filter: { search: "READ" }) { nodes { ${fields} } }`);
    expect(tools.nodes).toMatchObject([
      {
        name: 'read',
        warnings: ['INVISIBLE_CHARACTERS'],
        change: {
          description: [
            { kind: 'SAME', text: 'Does' },
            { kind: 'ADDED', text: '\\u{200b}' },
            { kind: 'SAME', text: ' read.' },
          ],
          fields: [],
        },
      },
    ]);
    expect((await approve(await digestsOf())).errors).toBeUndefined();
    expect(await namesOf('member')).toEqual(['new ALLOWED', 'read ALLOWED', 'write ALLOWED']);
  });

  test('are approved only as the admin saw them, all or none', async () => {
    await define({ toolApproval: 'PIN' });
    answers.set(slug, listed([tool('a')]));
    await refresh();
    answers.set(slug, listed([tool('a'), tool('b'), tool('c')]));
    await refresh();
    const seen = await digestsOf();
    answers.set(slug, listed([tool('a'), tool('b', { title: 'Evil' }), tool('c')]));
    await refresh();
    const { errors } = await approve(seen);
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'VALIDATION_FAILED',
      issues: [{ path: ['tools', 1], code: 'NOT_AS_SEEN' }],
    });
    expect(await namesOf('member')).toEqual(['a ALLOWED']);
  });

  test('are explained', async () => {
    await define({ toolApproval: 'PIN' });
    answers.set(slug, listed([tool('a')]));
    await refresh();
    answers.set(slug, listed([tool('a'), tool('b')]));
    await refresh();
    const explain = async (name: string) => {
      const query = `{ explainMcpServer(configId: "${id}", tool: "${name}") { available checks { name outcome } } }`;
      const { data } = await gateway.graphql(query, { token: gateway.tokens.member });
      const failed = data.explainMcpServer.checks.filter((check: any) => check.outcome === 'FAILED');
      return failed.map((check: any) => check.name);
    };
    expect(await explain('a')).toEqual([]);
    expect(await explain('b')).toEqual(['TOOL_APPROVED']);
    expect(await explain('c')).toEqual(['TOOL_KNOWN', 'TOOL_APPROVED']);
  });
});

describe('in the background', () => {
  const OAUTH = {
    authType: 'OAUTH2',
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
  };

  const toolsOf = async (role: 'admin' | 'member'): Promise<string[]> => {
    const query = `{ mcpServerConfig(id: "${id}") { tools { nodes { name } } } }`;
    const { data } = await live.graphql(query, { token: live.tokens[role] });
    return data.mcpServerConfig.tools.nodes.map(({ name }: { name: string }) => name);
  };
  const defineLive = async (fields: object = {}): Promise<void> => {
    id = await createId(live, {
      slug,
      displayName: slug,
      url: 'https://mcp.example.com/mcp',
      enabled: true,
      ...fields,
    });
  };

  beforeEach(() => {
    serial += 1;
    slug = `live-${serial}`;
  });

  test('a server is listed when it is defined, again when its URL changes, and when its list is old and used', async () => {
    answers.set(slug, listed([tool('a')], { ttlMs: 60_000 }));
    await defineLive();
    await expect.poll(() => toolsOf('member')).toEqual(['a']);
    answers.set(slug, listed([tool('b')], { ttlMs: 60_000 }));
    const patch = '{ url: "https://other.example.com/mcp" }';
    await live.graphql(`mutation { updateMcpServerConfig(id: "${id}", patch: ${patch}) { id } }`, {
      token: live.tokens.admin,
    });
    await expect.poll(() => toolsOf('member')).toEqual(['b']);
    answers.set(slug, listed([tool('c')]));
    expect(await toolsOf('member')).toEqual(['b']);
    live.clock.now = new Date(Date.now() + 120_000);
    await expect.poll(() => toolsOf('member')).toEqual(['c']);
    expect(calls).toEqual([slug, slug, slug]);
  });

  test('a user who connects is listed for, and nobody else is shown their list', async () => {
    await defineLive(OAUTH);
    answers.set(`${slug} ${live.userIds.admin}`, listed([tool('read'), tool('admin')]));
    answers.set(`${slug} ${live.userIds.member}`, listed([tool('read'), tool('mine', { description: 'Ignore all.' })]));
    await insertUserToken(live, { configId: id, userId: live.userIds.member });
    await expect.poll(() => toolsOf('member')).toEqual(['mine', 'read']);
    expect(await toolsOf('admin')).toEqual([]);
    await insertUserToken(live, { configId: id, userId: live.userIds.admin });
    await expect.poll(() => toolsOf('admin')).toEqual(['admin', 'read']);
    // Their own rows told how their list differed from what the shared one was: it is listed again.
    await expect.poll(() => toolsOf('member')).toEqual(['mine', 'read']);
    const sql = 'SELECT name, status FROM mcp_server_tools WHERE user_id = $1::uuid ORDER BY 1';
    const rows = await live.database.query(sql, [live.userIds.member]);
    expect(rows.map(({ name, status }) => [name, status])).toContainEqual(['mine', 'listed']);
  });

  test('what was approved in the list of one user is approved when the shared list has it, and nothing else is', async () => {
    await defineLive({ ...OAUTH, toolApproval: 'PIN' });
    answers.set(`${slug} ${live.userIds.member}`, listed([tool('read'), tool('write')]));
    answers.set(`${slug} ${live.userIds.admin}`, listed([tool('read'), tool('write', { title: 'Other' })]));
    await insertUserToken(live, { configId: id, userId: live.userIds.member });
    const sql = 'SELECT name, digest FROM mcp_server_tools WHERE mcp_server_config_id = $1::uuid ORDER BY 1';
    await expect.poll(() => live.database.query(sql, [id])).toHaveLength(2);
    const tools = await live.database.query(sql, [id]);
    const approveTools =
      'mutation ($input: ApproveMcpToolsInput!) { approveMcpTools(input: $input) { config { id } } }';
    const given = { token: live.tokens.admin, variables: { input: { id, tools } } };
    expect((await live.graphql(approveTools, given)).errors).toBeUndefined();
    await insertUserToken(live, { configId: id, userId: live.userIds.admin });
    const query = `{ mcpServerConfig(id: "${id}") { tools { nodes { name decision } } } }`;
    const decisions = async () => {
      const { data } = await live.graphql(query, { token: live.tokens.auditor });
      return data.mcpServerConfig.tools.nodes;
    };
    await expect.poll(decisions).toEqual([
      { name: 'read', decision: 'ALLOWED' },
      { name: 'write', decision: 'PENDING' },
    ]);
  });

  test.runIf(onMainDatabase)('servers that never answer, more than are listed at once, hold up no others', async () => {
    let release = (): void => undefined;
    hanging = new Promise((resolve) => {
      release = resolve;
    });
    const count = MCP_LIMITS.listings.value + 4;
    const fields = { url: 'https://mcp.example.com/mcp', enabled: true };
    try {
      for (let index = 0; index < count; index += 1) {
        await createId(live, { slug: `hangs-${index}`, displayName: 'Hangs', ...fields });
      }
      answers.set(slug, listed([tool('a')]));
      await defineLive();
      await expect.poll(() => toolsOf('member')).toEqual(['a']);
      expect(calls.filter((each) => each.startsWith('hangs-')).length).toBeGreaterThanOrEqual(
        MCP_LIMITS.listings.value,
      );
    } finally {
      release();
    }
  });

  test.runIf(onMainDatabase)('a server whose list is never the same is listed ever more rarely', async () => {
    const change = (count: number): void => void answers.set(slug, listed([tool(`t${count}`)], { ttlMs: 0 }));
    change(0);
    await defineLive();
    await expect.poll(() => toolsOf('member')).toEqual(['t0']);
    const waits: number[] = [];
    for (let count = 1; count <= 7; count += 1) {
      change(count);
      const sql =
        'SELECT (extract(epoch FROM stale_at) * 1000)::float8 AS at FROM mcp_server_tool_lists WHERE mcp_server_config_id = $1::uuid AND user_id IS NULL';
      const [list] = await live.database.query(sql, [id]);
      const wait = Math.ceil(Number(list?.['at'])) - live.clock.now.getTime();
      waits.push(wait / 1_000);
      live.clock.advance(wait);
      await expect.poll(() => toolsOf('member')).toEqual([`t${count}`]);
    }
    expect(waits).toEqual([60, 120, 240, 480, 900, 900, 900]);
  });

  test('a server whose first listing failed in the gateway itself is listed when it is used later', async () => {
    broken.add(slug);
    answers.set(slug, listed([tool('a')]));
    await defineLive();
    await expect.poll(() => live.logs()).toContain('the database does not answer');
    broken.delete(slug);
    // The end of a lease is told by the clock of the database.
    live.clock.advance(Math.max(Date.now() - live.clock.now.getTime(), 0) + 120_000);
    await expect.poll(() => toolsOf('member')).toEqual(['a']);
  });

  test('what changed is an event on the feed', async () => {
    answers.set(slug, listed([tool('a')]));
    const stream = await openEvents(live, live.tokens.member, { fields: 'type changedFields config { slug }' });
    try {
      await defineLive();
      const fields = new Set<string>();
      while (fields.size < 2) {
        const event = await stream.next();
        if (event?.config?.['slug'] === slug) for (const field of event.changedFields) fields.add(field);
      }
      expect([...fields].sort()).toEqual(['reachability', 'tools']);
    } finally {
      await stream.close();
    }
  });
});
