import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Server } from '@modelcontextprotocol/server';

// What people use instead: the npm package mcp-proxy, as its README says, in front of one server.
const { values } = parseArgs({ options: { folder: { type: 'string' }, upstream: { type: 'string' } } });
if (values.folder === undefined || values.upstream === undefined) throw new Error('--folder or --upstream is missing');

interface McpProxy {
  proxyServer(options: { client: Client; server: Server; serverCapabilities: object }): Promise<void>;
  startHTTPServer(options: {
    createServer: () => Promise<Server>;
    host: string;
    port: number;
    stateless: boolean;
  }): Promise<unknown>;
}

const entry = path.join(values.folder, 'node_modules', 'mcp-proxy', 'dist', 'index.mjs');
const { proxyServer, startHTTPServer } = (await import(pathToFileURL(entry).href)) as McpProxy;

const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } });
await client.connect(new StreamableHTTPClientTransport(new URL(values.upstream)));
const serverCapabilities = client.getServerCapabilities() ?? {};

await startHTTPServer({
  async createServer() {
    const server = new Server(client.getServerVersion() ?? { name: 'bench', version: '1' }, {
      capabilities: serverCapabilities,
    });
    await proxyServer({ client, server, serverCapabilities });
    return server;
  },
  host: '127.0.0.1',
  port: Number(process.env['PORT']),
  stateless: true,
});
