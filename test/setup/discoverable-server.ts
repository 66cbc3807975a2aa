import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An MCP server and its authorization server as discovery sees them: metadata on loopback, nothing behind it. */
export interface DiscoverableServer {
  /** URL of the MCP endpoint. */
  url: string;
  close(): Promise<void>;
}

export async function startDiscoverableServer(): Promise<DiscoverableServer> {
  const server = createServer((request, response) => {
    const document = documents[request.url ?? ''];
    if (document === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${origin}/mcp`;
  const documents: Readonly<Record<string, object>> = {
    '/.well-known/oauth-protected-resource/mcp': {
      resource: url,
      authorization_servers: [origin],
      scopes_supported: ['tools'],
    },
    '/.well-known/oauth-authorization-server': {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      revocation_endpoint: `${origin}/revoke`,
      registration_endpoint: `${origin}/register`,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
    },
  };
  return {
    url,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
