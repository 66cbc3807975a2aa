import type { TestGateway } from '../setup/gateway.ts';

/** The name and value of a `Set-Cookie` header, as a browser sends it back. */
export function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

/** Signs a browser in with a bearer token. @returns its `Cookie` header */
export async function openSession(gateway: TestGateway, token: string): Promise<string> {
  const response = await gateway.fetch('/auth/session', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  if (response.status !== 201) throw new Error(`no session: ${response.status}`);
  return cookieOf(response);
}

/** Queries the viewer by POST from the gateway's own page. @returns the user's id; undefined if unauthenticated */
export async function whoIs(gateway: TestGateway, headers: Record<string, string>): Promise<string | undefined> {
  const response = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: gateway.config.publicUrl, ...headers },
    body: '{"query":"{ viewer { id } }"}',
  });
  if (response.status === 401) return undefined;
  const { data } = (await response.json()) as { data: { viewer: { id: string } } };
  return data.viewer.id;
}
