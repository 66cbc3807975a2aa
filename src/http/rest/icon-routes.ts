import { Hono } from 'hono';
import { assertExperiment, type Experiment } from '../../domain/experiments.ts';
import type { IconService } from '../../domain/icons/icon-service.ts';
import { assertCan } from '../../policy/policy.ts';
import type { HttpEnv } from '../context.ts';
import { hasTag } from '../entity-tag.ts';
import { assertNoQuery } from './query.ts';
import { parseId } from './register-operations.ts';
import { SERVER_GROUP } from './server-operations.ts';

/** The dependencies of the icon route. */
export interface IconRoutesOptions {
  icons: IconService;
  experiments: ReadonlySet<Experiment>;
}

/** The parameter that changes with the icon's URL. Its value is not read. */
const VERSION_PARAMETER = 'v';
/** For one browser only: not everybody may see every server. */
const CACHE_CONTROL = 'private, max-age=3600';
/** Opened as a page, an image runs and loads nothing, whatever a browser takes it for. */
const CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** Creates the route of the icons of servers. */
export function createIconRoutes({ icons, experiments }: IconRoutesOptions): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();
  const { path, action } = SERVER_GROUP.operations.getMcpServerIcon;
  const address = `${SERVER_GROUP.prefix}${path.replace('{id}', ':id')}`;

  routes.on('GET', [address, `${address}/`], async (c) => {
    const viewer = c.get('viewer');
    assertCan(viewer, action);
    assertExperiment(experiments, SERVER_GROUP.experiment);
    const id = parseId(c.req.param('id'));
    assertNoQuery(c.req.url, VERSION_PARAMETER);
    const { type, bytes, digest } = await icons.find(viewer, id);
    const etag = `"${digest}"`;
    c.header('ETag', etag);
    c.header('Cache-Control', CACHE_CONTROL);
    c.header('Content-Security-Policy', CONTENT_POLICY);
    if (hasTag(c.req.header('if-none-match'), etag)) return c.body(null, 304);
    c.header('Content-Type', type);
    return c.body(bytes);
  });
  return routes;
}
