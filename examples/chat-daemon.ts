import { Client, StreamableHTTPClientTransport, type Tool } from '@modelcontextprotocol/client';

// A chat daemon without a model: it opens the door of a chat, lists the tools, calls those that `choose` picks, and follows
// the list. When an admin switches a server off, its tools are gone from the next choice.
//
//   GATEHOUSE_URL=http://localhost:4000 GATEHOUSE_TOKEN=… tsx examples/chat-daemon.ts <chat id>
//
// The token is a service's, which acts as the chat's owner, or the owner's own. No credential of a server comes here.

/** What the model would decide: the next call, or undefined to end. */
export type Choose = (
  tools: readonly Tool[],
  last: string | undefined,
) => Promise<{ name: string; arguments: Record<string, unknown> } | undefined>;

/** What a daemon works with. */
export interface DaemonOptions {
  gatehouse: string;
  token: string;
  chatId: string;
  choose: Choose;
  /** Called with the names of the tools, at first and after each change. */
  onTools?: (names: string[]) => void;
  log?: (line: string) => void;
}

/** Runs until `choose` ends it. */
export async function runChatDaemon(options: DaemonOptions): Promise<void> {
  const { gatehouse, token, chatId, choose, onTools = () => undefined, log = console.log } = options;
  const headers = { authorization: `Bearer ${token}` };

  const response = await fetch(`${gatehouse}/api/experimental/chats/${chatId}/mcp`, { headers });
  if (!response.ok) throw new Error(`no door: ${response.status} ${await response.text()}`);
  const { url, servers } = (await response.json()) as {
    url: string;
    servers: { display_name: string; state: string; reason: string; connect_url?: string }[];
  };
  for (const { display_name, state, reason, connect_url } of servers) {
    if (state !== 'ready') log(`${display_name}: ${reason} ${connect_url ?? ''}`);
  }

  const client = new Client({ name: 'chat-daemon', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  let tools: Tool[] = [];
  const list = async (): Promise<void> => {
    ({ tools } = await client.listTools());
    onTools(tools.map(({ name }) => name));
  };
  client.setNotificationHandler('notifications/tools/list_changed', () =>
    list().catch((error: unknown) => log(`not listed: ${String(error)}`)),
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  try {
    await client.listen({ toolsListChanged: true });
    await list();
    let last: string | undefined;
    for (let call = await choose(tools, last); call !== undefined; call = await choose(tools, last)) {
      const { content, isError } = await client.callTool(call);
      last = content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n');
      // A refusal is a result: it says in words what the user has to do, and the model passes that on.
      log(`${call.name}${isError === true ? ' was refused' : ''}: ${last}`);
    }
  } finally {
    await client.close();
  }
}

const [, file, chatId] = process.argv;
if (file !== undefined && import.meta.url.endsWith('/chat-daemon.ts') && file.endsWith('chat-daemon.ts')) {
  const { GATEHOUSE_URL: gatehouse = 'http://localhost:4000', GATEHOUSE_TOKEN: token = '' } = process.env;
  let isDone = false;
  await runChatDaemon({
    gatehouse,
    token,
    chatId: chatId ?? '',
    async choose() {
      if (isDone) return undefined;
      isDone = true;
      return { name: 'gatehouse__status', arguments: {} };
    },
  });
}
