import { createClient as createSocket } from 'graphql-ws';
import { Client, fetchExchange, subscriptionExchange } from 'urql';

/** Where the gateway is. It must list this page's origin in GATEHOUSE_CORS_ORIGINS. */
const GATEWAY: string = import.meta.env['VITE_GATEHOUSE_URL'] ?? 'http://localhost:4000';

/** Signs this browser in with a token. The gateway answers with a session cookie that no script can read. */
export async function signIn(token: string): Promise<void> {
  const response = await callSession('POST', { authorization: `Bearer ${token}` });
  if (!response.ok) throw new Error(((await response.json()) as { message: string }).message);
}

/** Ends the session. */
export async function signOut(): Promise<void> {
  await callSession('DELETE');
}

function callSession(method: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${GATEWAY}/auth/session`, { method, headers, credentials: 'include' });
}

/** Opens a client that works as the session's user. Call `close` when the session ends. */
export function openClient(): { client: Client; close: () => void } {
  // The browser sends the session cookie with the handshake, too.
  const socket = createSocket({
    url: `${GATEWAY.replace(/^http/, 'ws')}/graphql`,
    retryAttempts: Number.POSITIVE_INFINITY,
  });
  const client = new Client({
    url: `${GATEWAY}/graphql`,
    fetchOptions: { credentials: 'include' },
    // The gateway takes operations by POST only.
    preferGetMethod: false,
    requestPolicy: 'network-only',
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables: { ...variables } }, sink) }),
        }),
      }),
    ],
  });
  return { client, close: () => void socket.dispose() };
}
