import { Client, StreamableHTTPClientTransport, type VersionNegotiationOptions } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createId, type LooseInput } from '../graphql/config-operations.ts';
import { findFreePort } from '../setup/free-port.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

/** A gateway that listens, so that real clients reach its doors. */
export interface DoorWorld {
  gateway: TestGateway;
  /** Its public URL. */
  url: string;
  /** Creates an enabled server without credentials and lists its tools. @returns its id */
  define(input: LooseInput): Promise<string>;
  /** Posts one message. */
  post(
    path: string,
    message: unknown,
    options?: { token?: string | undefined; headers?: Record<string, string> },
  ): Promise<Response>;
  close(): Promise<void>;
}

type GatewayOptions = NonNullable<Parameters<typeof createTestGateway>[0]>;

/** Opens one. Close it. */
export async function openDoorWorld({ env, ...options }: GatewayOptions = {}): Promise<DoorWorld> {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const gateway = await createTestGateway({
    ...options,
    env: { GATEHOUSE_PUBLIC_URL: url, GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8', ...env },
  });
  const running: RunningServer = await listen(gateway.app, { host: '127.0.0.1', port });
  return {
    gateway,
    url,
    async define(input) {
      const id = await createId(gateway, { enabled: true, availability: 'FORCE_ON', ...input });
      await refresh(gateway, id);
      return id;
    },
    post: (path, message, { token, headers = {} } = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: typeof message === 'string' ? message : JSON.stringify(message),
      }),
    async close() {
      gateway.endStreams();
      await running.close(0);
      await gateway.close();
    },
  };
}

/** Lists the tools of a server now. Fails unless that works. */
export async function refresh(gateway: TestGateway, id: string): Promise<void> {
  const mutation = `mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem } }`;
  const { data, errors } = await gateway.graphql(mutation, { token: gateway.tokens.admin });
  if (errors !== undefined || data.refreshMcpServerTools.problem !== null) {
    throw new Error(`not listed: ${JSON.stringify({ data, errors })}`);
  }
}

/** A client of either SDK, as far as the tests use it. */
export interface DoorClient {
  listTools(): Promise<{ tools: { name: string; [part: string]: unknown }[] }>;
  callTool(call: { name: string; arguments?: Record<string, unknown> }): Promise<{ [part: string]: unknown }>;
  listResources(): Promise<any>;
  listResourceTemplates(): Promise<any>;
  readResource(of: { uri: string }): Promise<any>;
  listPrompts(): Promise<any>;
  getPrompt(of: { name: string; arguments?: Record<string, string> }): Promise<any>;
  getServerCapabilities(): Record<string, unknown> | undefined;
  getInstructions(): string | undefined;
  close(): Promise<void>;
}

const NAME = { name: 'test-client', version: '1.0.0' };

/** The clients that there are, by name. */
export const CLIENTS: Readonly<Record<string, (url: string, token: string) => Promise<DoorClient>>> = {
  'SDK 1': async (url, token) => {
    const client = new OldClient(NAME);
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new OldTransport(new URL(url), { requestInit }) as never);
    return client as unknown as DoorClient;
  },
  'SDK 2, auto': (url, token) => connect(url, token, { mode: 'auto' }),
  'SDK 2, legacy': (url, token) => connect(url, token, { mode: 'legacy' }),
  'SDK 2, pinned': (url, token) => connect(url, token, { mode: { pin: '2026-07-28' } }),
};

async function connect(url: string, token: string, versionNegotiation: VersionNegotiationOptions): Promise<DoorClient> {
  const client = new Client(NAME, { versionNegotiation });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client as unknown as DoorClient;
}

/** The text of a result. */
export function textOf(result: { [part: string]: unknown }): string {
  return (result['content'] as { text?: string }[]).map(({ text = '' }) => text).join('\n');
}
