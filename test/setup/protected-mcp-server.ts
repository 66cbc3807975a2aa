import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestAuthorizationServer } from './authorization-server.ts';
import { type SeenRequest, startWatchedServer, type Traffic } from './authorization-server-traffic.ts';
import { spawnEverythingServer } from './everything-server.ts';

/** A real MCP server behind a check of bearer tokens, on a loopback port. */
export interface ProtectedMcpServer extends Traffic {
  /** URL of the MCP endpoint, which is also its resource. */
  url: string;
  /** Path of its metadata (RFC 9728). */
  metadataPath: string;
  /** Received bearer tokens, valid or not, in order. */
  seenTokens: string[];
  close(): Promise<void>;
}

/** The authorization server that it trusts, and its requirements. */
export interface ProtectedMcpServerOptions {
  authorizationServer: TestAuthorizationServer;
  /** `/mcp` by default. */
  path?: string;
  /** Required scopes of a token. None by default: any token for this resource is valid. */
  scopes?: readonly string[];
}

/** The address of the real server. */
const UPSTREAM_PATH = '/mcp';

/** Starts the reference server `server-everything` behind a proxy that makes it an OAuth resource server. Close it. */
export async function startProtectedMcpServer(options: ProtectedMcpServerOptions): Promise<ProtectedMcpServer> {
  const { authorizationServer, path: mcpPath = '/mcp', scopes = [] } = options;
  const metadataPath = `/.well-known/oauth-protected-resource${mcpPath}`;
  const socketPath = await useHiddenServer();
  const seenTokens: string[] = [];

  const server = await startWatchedServer(async (seen, request, response) => {
    if (seen.path === metadataPath) return answerJson(response, metadata);
    if (seen.path !== mcpPath) return void response.writeHead(404).end();
    const token = /^Bearer (.+)$/i.exec(seen.headers.authorization ?? '')?.[1];
    if (token !== undefined) seenTokens.push(token);
    const refusal = await findRefusal(token);
    if (refusal === undefined) passOn(socketPath, seen, request, response);
    else response.writeHead(refusal.status, { 'www-authenticate': formatChallenge(refusal.parameters) }).end();
  });
  const url = `${server.origin}${mcpPath}`;
  const metadata = {
    resource: url,
    authorization_servers: [authorizationServer.issuer],
    bearer_methods_supported: ['header'],
    ...(scopes.length > 0 && { scopes_supported: scopes }),
  };
  const pointer = { resource_metadata: `${server.origin}${metadataPath}` };
  const wanted = scopes.length > 0 ? { scope: scopes.join(' ') } : {};
  authorizationServer.addResource(url, scopes);

  /** RFC 6750, section 3.1; the audience as RFC 8707 and MCP require it. */
  const findRefusal = async (token: string | undefined) => {
    if (token === undefined) return { status: 401, parameters: { ...pointer, ...wanted } };
    const facts = await authorizationServer.introspect(token);
    if (!facts.active || ![facts.aud].flat().includes(url)) {
      return { status: 401, parameters: { error: 'invalid_token', ...pointer, ...wanted } };
    }
    const granted = facts.scope?.split(' ') ?? [];
    const missing = scopes.filter((scope) => !granted.includes(scope));
    if (missing.length === 0) return undefined;
    return { status: 403, parameters: { error: 'insufficient_scope', scope: missing.join(' '), ...pointer } };
  };

  return {
    ...server,
    url,
    metadataPath,
    seenTokens,
  };
}

function answerJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function formatChallenge(parameters: Readonly<Record<string, string>>): string {
  return `Bearer ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}`;
}

/**
 * Forwards everything but the token, which is for this server only; answers are passed on as they arrive, so that
 * streams work.
 */
function passOn(socketPath: string, seen: SeenRequest, request: IncomingMessage, response: ServerResponse): void {
  const { authorization: _, ...headers } = seen.headers;
  const upstream = forward({ socketPath, path: UPSTREAM_PATH, method: seen.method, headers }, (answer) => {
    // Flush: a stream of events may be silent for a while.
    response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
    answer.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}

let hidden: Promise<string> | undefined;

/**
 * The path of the socket of this worker's real server, which starts when it is first asked for, and ends with the
 * worker: a start takes longer than most tests. Each client has a session of its own there.
 */
function useHiddenServer(): Promise<string> {
  hidden ??= startHiddenServer(() => {
    hidden = undefined;
  });
  return hidden;
}

/**
 * Listens on a socket in its own folder: it has no option to keep a port closed to the network.
 *
 * @param onEnd called when it could not start, or has ended
 */
async function startHiddenServer(onEnd: () => void): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-mcp-'));
  const socketPath = path.join(folder, 'mcp.sock');
  const end = (): void => {
    onEnd();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { ended } = await spawnEverythingServer('streamable_http', socketPath, folder);
    ended.then(end, end);
  } catch (error) {
    end();
    throw error;
  }
  return socketPath;
}

/**
 * Does what a minimal MCP client does over Streamable HTTP: initialize, list all tools, end the session.
 *
 * @param token bearer token; none if absent
 * @returns names
 * @throws Error with the status if the server does not answer with 2xx
 */
export async function listTools(url: string, token?: string): Promise<string[]> {
  const session: Record<string, string> = {};
  const send = async (
    method: string,
    message?: { id?: number; method: string; params?: unknown },
  ): Promise<Response> => {
    const response = await fetch(url, {
      method,
      headers: {
        accept: 'application/json, text/event-stream',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(message !== undefined && { 'content-type': 'application/json' }),
        ...session,
      },
      ...(message !== undefined && { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
    });
    if (!response.ok) throw new Error(`the MCP server answers with ${response.status}`);
    return response;
  };
  let lastId = 0;
  const call = async <Result>(method: string, params: unknown): Promise<{ result: Result; headers: Headers }> => {
    lastId += 1;
    const response = await send('POST', { id: lastId, method, params });
    return { result: (await readResult(response, lastId)) as Result, headers: response.headers };
  };

  const { result, headers } = await call<{ protocolVersion: string }>('initialize', {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'gatehouse-tests', version: '0' },
  });
  session['mcp-protocol-version'] = result.protocolVersion;
  const sessionId = headers.get('mcp-session-id');
  if (sessionId !== null) session['mcp-session-id'] = sessionId;
  await (await send('POST', { method: 'notifications/initialized' })).body?.cancel();

  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await call<{ tools: { name: string }[]; nextCursor?: string }>('tools/list', { cursor });
    names.push(...page.result.tools.map((tool) => tool.name));
    cursor = page.result.nextCursor;
  } while (cursor !== undefined);
  if (sessionId !== null) await (await send('DELETE')).body?.cancel();
  return names;
}

/** The answer to one message, either alone as JSON or among others in a stream of events. */
async function readResult(response: Response, id: number): Promise<unknown> {
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const messages = isStream
    ? text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []))
    : [text];
  const answer = messages
    .filter((message) => message !== '')
    .map((message) => JSON.parse(message) as { id?: number; result?: unknown; error?: unknown })
    .find((message) => message.id === id);
  if (answer?.result === undefined) throw new Error(`the MCP server answers with ${JSON.stringify(answer?.error)}`);
  return answer.result;
}
