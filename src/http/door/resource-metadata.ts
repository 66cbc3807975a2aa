import { Hono } from 'hono';
import type { HttpEnv } from '../context.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
/** The paths of the doors. */
export const DOOR_PATHS = ['/mcp', '/mcp/servers/:slug', '/mcp/chats/:chatId'] as const;

/** Whether a path is one of a door. */
export function isDoorPath(path: string): boolean {
  return path === '/mcp' || path.startsWith('/mcp/');
}

/**
 * For whom a JWT must be issued at a door (RFC 8707): for the door, or for `/mcp`, which stands for all of them. A token for
 * the rest of the gateway opens none. Undefined for paths that are no doors.
 */
export function toDoorAudiences(publicUrl: string, path: string): string[] | undefined {
  return isDoorPath(path) ? [...new Set([`${publicUrl}/mcp`, `${publicUrl}${path}`])] : undefined;
}

/** What tells clients how to get a token for a door. */
export interface ResourceMetadataOptions {
  publicUrl: string;
  /** Without an audience, no tokens of the issuer are accepted: it is only for people who sign in with a browser. */
  oidc: { issuer: string; audience: string | undefined } | undefined;
}

/**
 * The metadata of the doors as OAuth resources (RFC 9728), for everybody. A door's document has nothing of what is behind
 * it: there is one for each path, whether a server or chat with this name exists or not.
 */
export function createResourceMetadataRoutes({ publicUrl, oidc }: ResourceMetadataOptions): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();
  const paths = [WELL_KNOWN, ...DOOR_PATHS.map((path) => `${WELL_KNOWN}${path}`)];
  routes.on('GET', paths, (c) => {
    const door = new URL(c.req.url).pathname.slice(WELL_KNOWN.length);
    c.header('Cache-Control', 'public, max-age=300');
    // Pages may ask where to sign in: there is nothing secret in the answer.
    c.header('Access-Control-Allow-Origin', '*');
    return c.json({
      resource: `${publicUrl}${door === '' ? '/mcp' : door}`,
      resource_name: 'Gatehouse',
      ...(oidc?.audience !== undefined && { authorization_servers: [oidc.issuer] }),
      bearer_methods_supported: ['header'],
    });
  });
  return routes;
}

/** The challenge of a 401 at a door (RFC 9728, section 5.1). @param hadToken whether there was a token, which is not valid */
export function toChallenge(publicUrl: string, path: string, hadToken: boolean): string {
  const error = hadToken ? 'error="invalid_token", ' : '';
  return `Bearer ${error}resource_metadata="${publicUrl}${WELL_KNOWN}${encodeURI(decodePath(path)).replaceAll('"', '%22')}"`;
}

function decodePath(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return '/mcp';
  }
}
