import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Denials } from '../../domain/audit/denials.ts';
import { type ConnectionFlow, toFlowName } from '../../domain/connections/connection-flow.ts';
import type { OAuthSetup } from '../../domain/connections/oauth-setup.ts';
import type { OAuthUrls } from '../../domain/oauth/redirect-urls.ts';
import { DomainError, notFound, validationFailed } from '../../errors.ts';
import type { HttpEnv } from '../context.ts';
import { statusOfCode } from '../problem.ts';
import { assertNoQuery } from '../rest/query.ts';
import { SERVER_GROUP } from '../rest/server-operations.ts';
import type { FlowCookie } from './flow-cookie.ts';
import { createResultPage } from './result-page.ts';

/** The dependencies of the OAuth routes. */
export interface OAuthRoutesOptions {
  flow: ConnectionFlow;
  setup: Pick<OAuthSetup, 'clientMetadata'>;
  urls: OAuthUrls;
  cookie: FlowCookie;
  denials: Denials;
  /** An origin: only pages of this origin are notified of a new connection. */
  publicUrl: string;
}

/** How long authorization servers may cache the client metadata document. */
const METADATA_MAX_AGE_SECONDS = 3_600;

/** The public route of the client metadata document: the authorization servers that fetch it have no credential. */
export function createClientMetadataRoutes({ setup }: Pick<OAuthRoutesOptions, 'setup'>): Hono<HttpEnv> {
  return new Hono<HttpEnv>().get(`${SERVER_GROUP.prefix}/:id/oauth2/client.json`, (c) => {
    const document = setup.clientMetadata(parseId(c).toLowerCase());
    // The document contains nothing about the config, so the config is not looked up.
    if (document === null) throw notFound('document: GATEHOUSE_PUBLIC_URL is not reachable from other servers');
    c.header('Cache-Control', `public, max-age=${METADATA_MAX_AGE_SECONDS}`);
    return c.json(document);
  });
}

/** The routes where a browser starts and finishes an OAuth flow. */
export function createOAuthRoutes({ flow, urls, cookie, publicUrl, denials }: OAuthRoutesOptions): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();
  const connectPath = `${SERVER_GROUP.prefix}/:id/oauth2/connect`;
  const callbackPath = `${SERVER_GROUP.prefix}/:id/oauth2/callback`;

  routes.on('GET', [connectPath, `${connectPath}/`], (c) =>
    respondWithPage(c, denials, async () => {
      const id = parseId(c).toLowerCase();
      assertNoQuery(c.req.url);
      const { authorizationUrl, browserToken, flowName, expiresAt } = await flow.start(c.get('viewer'), id);
      const path = urls.callbackPath(id);
      c.header('Set-Cookie', cookie.set(flowName, browserToken.expose(), { path, expiresAt }));
      c.header('Cache-Control', 'no-store');
      return c.redirect(authorizationUrl, 307);
    }),
  );

  routes.on('GET', [callbackPath, `${callbackPath}/`], async (c) => {
    // Link previews and prefetching must not consume the authorization code. Hono also routes HEAD requests here.
    if (c.req.method === 'HEAD' || c.req.header('sec-purpose')?.includes('prefetch') === true) return c.body(null, 204);
    return respondWithPage(c, denials, async () => {
      const configId = parseId(c).toLowerCase();
      const answer = new URL(c.req.url).searchParams;
      const flowName = toFlowName(answer.get('state') ?? '');
      const browserToken = cookie.read(c.req.raw, flowName);
      if (browserToken !== undefined) c.header('Set-Cookie', cookie.clear(flowName, urls.callbackPath(configId)));
      await flow.finish(c.get('viewer'), { configId, answer, browserToken });
      const page = await createResultPage({
        status: 200,
        title: 'Connected',
        text: 'Your account is connected. You can close this window.',
        completed: { serverId: configId, origin: publicUrl },
      });
      return c.newResponse(page.body, page);
    });
  });

  return routes;
}

/** Shows errors as a page if the client accepts HTML; otherwise they become the usual REST errors. */
async function respondWithPage(
  c: Context<HttpEnv>,
  denials: Denials,
  work: () => Promise<Response>,
): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DomainError) || !c.req.header('accept')?.includes('text/html')) throw error;
    await denials.record(c.get('viewer'), { operation: `GET ${c.req.routePath}`, code: error.code });
    const page = await createResultPage({
      status: statusOfCode(error.code) as 400,
      title: 'Not connected',
      text:
        error.code === 'UNAUTHENTICATED' ? 'Sign in to Gatehouse in this browser, then connect again.' : error.message,
    });
    return c.newResponse(page.body, page);
  }
}

/** Any UUID in the canonical format, of any version, as PostgreSQL accepts it. */
const Id = z.guid();

function parseId(c: Context<HttpEnv>): string {
  const { data } = Id.safeParse(c.req.param('id'));
  if (data !== undefined) return data;
  throw validationFailed([{ path: ['id'], code: 'NOT_A_UUID', message: 'The id in the path is not a UUID.' }]);
}
