import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Denials } from '../../domain/audit/denials.ts';
import { type ConnectionFlow, toFlowName } from '../../domain/connections/connection-flow.ts';
import type { OAuthSetup } from '../../domain/connections/oauth-setup.ts';
import type { OAuthUrls } from '../../domain/oauth/redirect-urls.ts';
import { DomainError, notFound, validationFailed } from '../../errors.ts';
import type { HttpEnv } from '../context.ts';
import { statusOfCode } from '../problem.ts';
import { SERVER_GROUP } from '../rest/server-operations.ts';
import type { FlowCookie } from './flow-cookie.ts';
import { createResultPage } from './result-page.ts';

/** What the routes stand on. */
export interface OAuthRoutesOptions {
  flow: ConnectionFlow;
  setup: Pick<OAuthSetup, 'clientMetadata'>;
  urls: OAuthUrls;
  cookie: FlowCookie;
  denials: Denials;
  /** An origin: the only one that is told of a connection. */
  publicUrl: string;
}

/** Authorization servers may keep the client's document for as long. */
const METADATA_MAX_AGE_SECONDS = 3_600;

/** The client's document, for everybody: an authorization server that fetches it has no credential here. */
export function createClientMetadataRoutes({ setup }: Pick<OAuthRoutesOptions, 'setup'>): Hono<HttpEnv> {
  return new Hono<HttpEnv>().get(`${SERVER_GROUP.prefix}/:id/oauth2/client.json`, (c) => {
    const document = setup.clientMetadata(parseId(c).toLowerCase());
    // It says nothing about a config, so it need not exist.
    if (document === null) throw notFound('document: GATEHOUSE_PUBLIC_URL is not one that others can fetch from');
    c.header('Cache-Control', `public, max-age=${METADATA_MAX_AGE_SECONDS}`);
    return c.json(document);
  });
}

/** Where a browser begins and ends a connection. */
export function createOAuthRoutes({ flow, urls, cookie, publicUrl, denials }: OAuthRoutesOptions): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();
  const connectPath = `${SERVER_GROUP.prefix}/:id/oauth2/connect`;
  const callbackPath = `${SERVER_GROUP.prefix}/:id/oauth2/callback`;

  routes.on('GET', [connectPath, `${connectPath}/`], (c) =>
    answerAsPage(c, denials, async () => {
      const id = parseId(c).toLowerCase();
      const { authorizationUrl, browserToken, flowName, expiresAt } = await flow.start(c.get('viewer'), id);
      const path = urls.callbackPath(id);
      c.header('Set-Cookie', cookie.set(flowName, browserToken.expose(), { path, expiresAt }));
      c.header('Cache-Control', 'no-store');
      return c.redirect(authorizationUrl, 307);
    }),
  );

  routes.on('GET', [callbackPath, `${callbackPath}/`], async (c) => {
    // A preview that looks ahead must not use the answer up. HEAD comes here too.
    if (c.req.method === 'HEAD' || c.req.header('sec-purpose')?.includes('prefetch') === true) return c.body(null, 204);
    return answerAsPage(c, denials, async () => {
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

/** Errors as a page where a person looks on, and as everywhere else in REST where not. */
async function answerAsPage(c: Context<HttpEnv>, denials: Denials, work: () => Promise<Response>): Promise<Response> {
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

/** Any UUID that PostgreSQL takes in this spelling, of whatever version. */
const Id = z.guid();

function parseId(c: Context<HttpEnv>): string {
  const { data } = Id.safeParse(c.req.param('id'));
  if (data !== undefined) return data;
  throw validationFailed([{ path: ['id'], code: 'NOT_A_UUID', message: 'The id in the path is not a UUID.' }]);
}
