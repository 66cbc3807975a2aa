import type { TestGateway } from '../setup/gateway.ts';

export const SERVERS = '/api/experimental/mcp/servers';

/** The caller: a name in `gateway.tokens`, or unauthenticated. */
export type Caller = keyof TestGateway['tokens'] | 'nobody';

export interface RestAnswer {
  status: number;
  headers: Headers;
  /** As sent. */
  text: string;
  /** Parsed; undefined when empty. */
  body: any;
}

/** Calls REST as the caller. A body that is not a string is sent as JSON. */
export function createRestClient(gateway: TestGateway) {
  const call = async (
    caller: Caller,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<RestAnswer> => {
    const response = await gateway.fetch(path, {
      method,
      headers: {
        ...(caller !== 'nobody' && { authorization: `Bearer ${gateway.tokens[caller]}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };
  return {
    call,
    /** Creates a server as the admin; fails unless that works. */
    async define(fields: Record<string, unknown>): Promise<RestAnswer['body']> {
      const answer = await call('admin', 'POST', SERVERS, fields);
      if (answer.status !== 201) throw new Error(`not defined: ${answer.status} ${answer.text}`);
      return answer.body;
    },
  };
}

export type RestClient = ReturnType<typeof createRestClient>;

/** The required fields of a new server, with a unique slug. */
export function minimalServer(slug: string) {
  return { display_name: `Server ${slug}`, slug, url: `https://${slug}.example.com/mcp` };
}

/** A server with a value in every field, so that none is empty by chance. */
export function fullServer(slug: string) {
  return {
    ...minimalServer(slug),
    transport: 'sse',
    auth_type: 'oauth2',
    availability: 'force_on',
    enabled: true,
    description: 'Does everything.',
    icon_url: 'https://icons.example.com/a.svg',
    oauth2_client_id: 'client-1',
    oauth2_client_secret: `client-secret-of-${slug}`,
    oauth2_auth_url: 'https://login.example.com/authorize',
    oauth2_token_url: 'https://login.example.com/token',
    oauth2_revocation_url: 'https://login.example.com/revoke',
    oauth2_issuer: 'https://login.example.com',
    oauth2_scopes: 'read write',
    oauth2_callback_mode: 'shared',
    tool_approval: 'pin',
    expose_resources: true,
    expose_prompts: true,
    oauth2_resource_mode: 'omit',
    api_key_header: 'X-Api-Key',
    api_key_value: `api-key-of-${slug}`,
    custom_headers: { 'X-Team': `header-of-${slug}` },
    tool_allow_list: ['search', 'read'],
    tool_deny_list: ['delete'],
  };
}
