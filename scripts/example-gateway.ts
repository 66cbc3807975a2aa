import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createMcpHandler, Server, type Tool } from '@modelcontextprotocol/server';
import { startAuthorizationServer } from '../test/setup/authorization-server.ts';
import { findFreePort } from '../test/setup/free-port.ts';
import { makeFolder, startCommand } from '../test/setup/process.ts';
import { startProtectedMcpServer } from '../test/setup/protected-mcp-server.ts';

/** Who looks at the pages. */
export type Person = 'admin' | 'member';

/** A gateway with example data, as a process of its own. Close it. */
export interface ExampleGateway {
  origin: string;
  tokens: Record<Person, string>;
  /** Id of the member's chat. */
  chatId: string;
  /** Ids of the servers, by slug. */
  serverIds: Readonly<Record<string, string>>;
  /** URL of an MCP server where each user signs in. */
  trackerUrl: string;
  /** Asks the graph. @returns its data */
  ask(person: Person, query: string, variables?: Record<string, unknown>): Promise<any>;
  close(): Promise<void>;
}

const HANDBOOK_TOOLS = [
  tool('search_pages', 'Search pages', 'Finds the pages of the handbook that have some words.', true),
  tool('read_page', 'Read a page', 'Gives the text of a page, with its author and the date of its last change.', true),
  tool('list_sections', 'List sections', 'Lists the sections of the handbook.', true),
  tool('suggest_change', 'Suggest a change', 'Sends a suggestion to the authors of a page.', false),
];

/** Starts the gateway, and the MCP servers that it manages. */
export async function startExampleGateway(): Promise<ExampleGateway> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closers.reverse()) await each();
  };
  try {
    const as = await startAuthorizationServer();
    closers.push(() => as.close());
    const tracker = await startProtectedMcpServer({ authorizationServer: as });
    closers.push(() => tracker.close());
    const handbook = await startToolServer(HANDBOOK_TOOLS);
    closers.push(handbook.close);
    const { folder, remove } = await makeFolder();
    closers.push(remove);
    const port = await findFreePort();
    const origin = `http://localhost:${port}`;
    const tokens = { admin: randomBytes(24).toString('base64url'), member: '' };
    const gateway = startCommand(['serve'], {
      cwd: folder,
      env: {
        PORT: String(port),
        GATEHOUSE_PUBLIC_URL: origin,
        GATEHOUSE_ADMIN_TOKEN: tokens.admin,
        GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8',
      },
    });
    closers.push(() => gateway.kill());
    await gateway.waitFor('Gatehouse listens');

    const ask: ExampleGateway['ask'] = async (person, query, variables) => {
      const response = await fetch(`${origin}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[person]}` },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      return data;
    };
    const serverIds = await defineServers(ask, { handbookUrl: handbook.url, trackerUrl: tracker.url });
    tokens.member = await addPeople(ask);
    return { origin, tokens, chatId: await addChats(ask, serverIds), serverIds, trackerUrl: tracker.url, ask, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Ask = ExampleGateway['ask'];

async function defineServers(
  ask: Ask,
  urls: { handbookUrl: string; trackerUrl: string },
): Promise<Record<string, string>> {
  const define = `mutation ($input: CreateMcpServerConfigInput!) {
    createMcpServerConfig(input: $input) { mcpServerConfig { id } } }`;
  const account = {
    authType: 'OAUTH2',
    oauth2ClientId: 'gatehouse',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
  };
  const servers = [
    {
      slug: 'handbook',
      displayName: 'Company handbook',
      description: 'How we work: holidays, expenses, security and who does what.',
      url: urls.handbookUrl,
      availability: 'FORCE_ON',
    },
    {
      slug: 'issues',
      displayName: 'Issue tracker',
      description: 'Issues, comments and releases of all projects.',
      url: urls.trackerUrl,
      authType: 'OAUTH2',
    },
    {
      slug: 'calendar',
      displayName: 'Calendar',
      description: 'Your appointments, and when others have time.',
      url: 'https://calendar.example.com/mcp',
      ...account,
    },
    {
      slug: 'web-search',
      displayName: 'Web search',
      description: 'Searches the public web.',
      url: 'https://search.example.com/mcp',
      authType: 'API_KEY',
      apiKeyHeader: 'X-Api-Key',
      apiKeyValue: 'an-example-that-is-not-a-key',
      availability: 'DEFAULT_ON',
    },
    {
      slug: 'crm',
      displayName: 'Customers',
      description: 'Accounts, contacts and contracts.',
      url: 'https://crm.example.com/mcp',
      enabled: false,
      ...account,
    },
  ];
  const ids: Record<string, string> = {};
  for (const server of servers) {
    const { createMcpServerConfig } = await ask('admin', define, { input: { enabled: true, ...server } });
    ids[server.slug] = createMcpServerConfig.mcpServerConfig.id;
  }
  return ids;
}

/** @returns a token of the member */
async function addPeople(ask: Ask): Promise<string> {
  const add = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }';
  const people = { ben: 'MEMBER', cleo: 'MEMBER', dana: 'AUDITOR', assistant: 'SERVICE' };
  const ids: string[] = [];
  for (const [name, role] of Object.entries(people)) {
    const { createUser } = await ask('admin', add, { input: { email: `${name}@example.com`, role } });
    ids.push(createUser.user.id);
  }
  const makeToken = 'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }';
  const input = { userId: ids[0], name: 'Laptop' };
  return (await ask('admin', makeToken, { input })).createApiToken.token;
}

/** @returns the id of the newest chat */
async function addChats(ask: Ask, serverIds: Readonly<Record<string, string>>): Promise<string> {
  const create = 'mutation ($input: CreateChatInput!) { createChat(input: $input) { chat { id } } }';
  const send = 'mutation ($input: CreateChatMessageInput!) { createChatMessage(input: $input) { chatMessage { id } } }';
  const mcpServerIds = [serverIds['issues'], serverIds['web-search']];
  let chatId = '';
  for (const title of ['Onboarding of Cleo', 'Offsite in May', 'Open issues of the release']) {
    chatId = (await ask('member', create, { input: { title, mcpServerIds } })).createChat.chat.id;
  }
  for (const content of [
    'Which issues are still open for the next release?',
    'Please group them by who works on them, and leave out what is only about the documentation.',
  ]) {
    await ask('member', send, { input: { chatId, content } });
  }
  return chatId;
}

function tool(name: string, title: string, description: string, readOnlyHint: boolean): Tool {
  return { name, title, description, inputSchema: { type: 'object' }, annotations: { readOnlyHint } };
}

/** An MCP server on loopback that lists these tools. */
async function startToolServer(tools: Tool[]): Promise<{ url: string; close: () => Promise<void> }> {
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'handbook', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', () => ({ tools, ttlMs: 60_000, cacheScope: 'private' }));
    return server;
  });
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = await handler.fetch(
      new Request(`http://127.0.0.1${request.url}`, {
        method: request.method ?? 'GET',
        headers: request.headers as Record<string, string>,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body === null) response.end();
    else Readable.fromWeb(answer.body as never).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
