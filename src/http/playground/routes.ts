import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { parseReturnPath } from '../../domain/sign-in/return-path.ts';
import type { PageFiles } from '../console/page-files.ts';
import type { HttpEnv } from '../context.ts';
import { prefersHtml } from '../prefers-html.ts';
import type { Pages } from '../sign-in/pages.ts';
import { ASSETS_PATH, type Assets } from './assets.ts';
import { ASSET_POLICY, PLAYGROUND_POLICY } from './content-security-policy.ts';
import { renderPlaygroundPage } from './playground-page.ts';

/** The routes of the assets. They are public: assets contain nothing that is not in published packages. */
export function createAssetRoutes(assets: Assets): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();

  routes.get(`${ASSETS_PATH}:fileName`, async (c) => {
    const asset = await assets.find(c.req.param('fileName'));
    if (asset === undefined) return c.notFound();
    c.header('content-type', asset.contentType);
    c.header('content-security-policy', ASSET_POLICY);
    c.header('cache-control', 'public, max-age=31536000, immutable');
    c.header('vary', 'Accept-Encoding');
    if (!acceptsGzip(c)) return c.body(asset.text);
    c.header('content-encoding', 'gzip');
    return c.body(await asset.gzipped());
  });

  return routes;
}

/**
 * Serves `GET /graphql` to browsers that request HTML: the playground, or the sign-in page if nobody is signed in. All
 * other requests are passed on to GraphQL.
 *
 * @param options.assets undefined if the playground is off: requests for HTML without a query then get 404
 * @param options.isTrustedOnly whether only trusted documents are taken. What somebody writes in a playground is none
 */
export function createPlaygroundRoutes({
  assets,
  pageFiles,
  pages,
  isTrustedOnly,
}: {
  assets: Assets | undefined;
  pageFiles: PageFiles;
  pages: Pages;
  isTrustedOnly: boolean;
}): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();

  routes.get('/graphql', async (c, next) => {
    if (!prefersHtml(c)) return next();
    if (assets === undefined) return c.req.query('query') === undefined ? c.notFound() : next();
    c.header('vary', 'Accept, Authorization, Cookie');
    const viewer = c.get('viewer');
    if (viewer.kind === 'nobody') {
      const { pathname, search } = new URL(c.req.url);
      return pages.signIn(c, { returnTo: parseReturnPath(`${pathname}${search}`) });
    }
    if (isTrustedOnly) return pages.trustedOnly(c);
    c.header('content-security-policy', PLAYGROUND_POLICY);
    return c.html(renderPlaygroundPage({ assets, pageFiles }, viewer));
  });

  return routes;
}

function acceptsGzip(c: Context<HttpEnv>): boolean {
  return accepts(c, { header: 'Accept-Encoding', supports: ['gzip'], default: 'identity' }) === 'gzip';
}
