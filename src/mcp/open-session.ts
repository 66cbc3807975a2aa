import type { UpstreamSession } from './upstream-session.ts';

/**
 * Opens a session as `UpstreamSession.open` does. What speaks the protocol is loaded with the first one: the SDK has more than a
 * thousand schemas, which take 12 MB.
 */
export async function openSession(...options: Parameters<typeof UpstreamSession.open>): Promise<UpstreamSession> {
  const { UpstreamSession } = await import('./upstream-session.ts');
  return UpstreamSession.open(...options);
}
