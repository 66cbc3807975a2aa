import { parseBearerChallenge } from '../../src/domain/oauth/discovery/bearer-challenge.ts';

/** What a server says about one round of requests. */
export type Round = { outcome: 'done' } | { outcome: 'challenged'; status: number; scopes: string[] };

const CLIENT_INFO = { name: 'gatehouse-conformance', version: '1.0.0' };
/** From this revision on there is no session: each request says what `initialize` said before. */
const STATELESS = '2026-07-28';

/**
 * Lists the tools of a server and calls the first one: what a gateway does with a user's token.
 *
 * @param token none if absent
 * @returns the server's challenge if it answers a request with one
 * @throws Error for any other answer that is no result
 */
export async function callTools(serverUrl: string, revision: string, token: string | undefined): Promise<Round> {
  const isStateless = revision >= STATELESS;
  let lastId = 0;
  let negotiated = revision;
  const send = async (method: string, params: Record<string, unknown>, isNotification = false): Promise<any> => {
    if (!isNotification) lastId += 1;
    const meta = {
      'io.modelcontextprotocol/protocolVersion': revision,
      'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const message = {
      jsonrpc: '2.0',
      ...(!isNotification && { id: lastId }),
      method,
      params: isStateless ? { ...params, _meta: meta } : params,
    };
    const response = await fetch(serverUrl, {
      method: 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(method !== 'initialize' && { 'mcp-protocol-version': negotiated }),
        ...(isStateless && { 'mcp-method': method }),
        ...(isStateless && typeof params['name'] === 'string' && { 'mcp-name': params['name'] }),
      },
      body: JSON.stringify(message),
    });
    const text = await response.text();
    if (response.status === 401 || response.status === 403) {
      const challenge = parseBearerChallenge(response.headers.get('www-authenticate') ?? '');
      throw new Challenged(response.status, challenge?.scope?.split(' ') ?? []);
    }
    if (!response.ok) throw new Error(`${method}: ${response.status} ${text}`);
    return isNotification ? undefined : readResult(text);
  };

  try {
    if (!isStateless) {
      const hello = { protocolVersion: revision, capabilities: {}, clientInfo: CLIENT_INFO };
      negotiated = (await send('initialize', hello)).protocolVersion;
      await send('notifications/initialized', {}, true);
    }
    const { tools } = await send('tools/list', {});
    await send('tools/call', { name: tools[0].name, arguments: {} });
    return { outcome: 'done' };
  } catch (error) {
    if (!(error instanceof Challenged)) throw error;
    return { outcome: 'challenged', status: error.status, scopes: error.scopes };
  }
}

class Challenged extends Error {
  readonly status: number;
  readonly scopes: string[];
  constructor(status: number, scopes: string[]) {
    super(`challenged with ${status}`);
    this.status = status;
    this.scopes = scopes;
  }
}

/** The result in a JSON body or in a stream of one event. */
function readResult(text: string): unknown {
  const data = /^data: ?(.*)$/m.exec(text)?.[1] ?? text;
  const { result, error } = JSON.parse(data);
  if (result === undefined) throw new Error(`the server answers with ${JSON.stringify(error)}`);
  return result;
}
