import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Denials } from '../../domain/audit/denials.ts';
import { type ConnectionFlow, toFlowName } from '../../domain/connections/connection-flow.ts';
import type { OAuthSetup } from '../../domain/connections/oauth-setup.ts';
import { type OAuthUrls, SHARED_CALLBACK_PATH, toOwnCallback } from '../../domain/oauth/redirect-urls.ts';
import { DomainError, notFound, validationFailed } from '../../errors.ts';
import type { PageFiles } from '../console/page-files.ts';
import type { HttpEnv } from '../context.ts';
import { isTrustedReader, type TrustedOrigins } from '../csrf.ts';
import { statusOfCode } from '../problem.ts';
import { assertNoQuery } from '../rest/query.ts';
import { SERVER_GROUP } from '../rest/server-operations.ts';
import { askToConfirm, CONFIRM_PARAMETER, endConfirmation, isConfirmed } from './confirmation.ts';
import type { FlowCookie } from './flow-cookie.ts';
import { createResultPage } from './result-page.ts';

/** The dependencies of the OAuth routes. */
export interface OAuthRoutesOptions {
  flow: ConnectionFlow;
  setup: Pick<OAuthSetup, 'clientMetadata'>;
  urls: OAuthUrls;
  cookie: FlowCookie;
  denials: Denials;
  pageFiles: PageFiles;
  /** Pages of these start a connection at once; only those of the public URL are notified of a new one. */
  origins: TrustedOrigins;
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
export function createOAuthRoutes(options: OAuthRoutesOptions): Hono<HttpEnv> {
  const { flow, urls, cookie, origins, pageFiles } = options;
  const routes = new Hono<HttpEnv>();
  const connectPath = `${SERVER_GROUP.prefix}/:id/oauth2/connect`;
  const callbackPath = `${SERVER_GROUP.prefix}/:id/oauth2/callback`;

  /** A link or a frame of another site must not begin a connection by itself. */
  const mayStart = (c: Context<HttpEnv>): boolean =>
    c.get('credentialSource') !== 'cookie' ||
    isTrustedReader(c.req.raw.headers, origins) ||
    isConfirmed(cookie, c.req.raw);

  routes.on('GET', [connectPath, `${connectPath}/`], async (c) => {
    if (isPreview(c)) return c.body(null, 204);
    return respondWithPage(c, options, async () => {
      const id = parseId(c).toLowerCase();
      assertNoQuery(c.req.url, CONFIRM_PARAMETER);
      const ownPath = connectPath.replace(':id', id);
      if (!mayStart(c)) {
        const { displayName } = await flow.findServer(c.get('viewer'), id);
        const page = await askToConfirm({ cookie, pageFiles }, { displayName, path: ownPath });
        return c.newResponse(page.body, page);
      }
      const started = await flow.start(c.get('viewer'), id);
      const { authorizationUrl, browserToken, flowName, callbackPath: path, expiresAt } = started;
      c.header('Set-Cookie', cookie.set(flowName, browserToken.expose(), { path, expiresAt }));
      const hasToken = new URL(c.req.url).searchParams.has(CONFIRM_PARAMETER);
      if (hasToken) c.header('Set-Cookie', endConfirmation(cookie, ownPath), { append: true });
      c.header('Cache-Control', 'no-store');
      return c.redirect(authorizationUrl, 307);
    });
  });

  /** @param readConfigId undefined for the shared callback, where the state says which config is connected */
  const finish = async (c: Context<HttpEnv>, readConfigId: (() => string) | undefined): Promise<Response> => {
    if (isPreview(c)) return c.body(null, 204);
    return respondWithPage(c, options, async () => {
      const own = readConfigId?.();
      const answer = new URL(c.req.url).searchParams;
      const flowName = toFlowName(answer.get('state') ?? '');
      const browserToken = cookie.read(c.req.raw, flowName);
      const path = own === undefined ? SHARED_CALLBACK_PATH : urls.callbackPath(toOwnCallback(own));
      if (browserToken !== undefined) c.header('Set-Cookie', cookie.clear(flowName, path));
      const configId = await flow.finish(c.get('viewer'), { configId: own, answer, browserToken });
      const page = await createResultPage(pageFiles, {
        status: 200,
        title: 'Connected',
        text: 'Your account is connected. You can close this window.',
        completed: { serverId: configId, origin: origins.publicUrl },
      });
      return c.newResponse(page.body, page);
    });
  };
  routes.on('GET', [callbackPath, `${callbackPath}/`], (c) => finish(c, () => parseId(c).toLowerCase()));
  routes.on('GET', [SHARED_CALLBACK_PATH, `${SHARED_CALLBACK_PATH}/`], (c) => finish(c, undefined));

  return routes;
}

/**
 * Link previews and prefetching must not begin a connection or consume an authorization code. Hono also routes HEAD
 * requests to GET.
 */
function isPreview(c: Context<HttpEnv>): boolean {
  return c.req.method === 'HEAD' || c.req.header('sec-purpose')?.includes('prefetch') === true;
}

/** Shows errors as a page if the client accepts HTML; otherwise they become the usual REST errors. */
async function respondWithPage(
  c: Context<HttpEnv>,
  { denials, pageFiles }: OAuthRoutesOptions,
  work: () => Promise<Response>,
): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DomainError) || !c.req.header('accept')?.includes('text/html')) throw error;
    await denials.record(c.get('viewer'), { operation: `GET ${c.req.routePath}`, code: error.code });
    const page = await createResultPage(pageFiles, {
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
