import { Hono } from 'hono';
import type { Config } from '../config.ts';
import type { HttpEnv } from './context.ts';
import { prefersHtml } from './prefers-html.ts';

/**
 * `GET /`: redirects browsers to the playground, and gives programs links. If the playground is off, browsers get the
 * links, too. Public, because it contains no stored data.
 */
export function createRootRoutes({ publicUrl, graphiql }: Pick<Config, 'publicUrl' | 'graphiql'>): Hono<HttpEnv> {
  const graph = `${publicUrl}/graphql`;
  const links = {
    graph,
    openapi: `${publicUrl}/api/openapi.json`,
    // The playground documents the graph.
    ...(graphiql && { docs: graph }),
  };
  return new Hono<HttpEnv>().get('/', (c) => {
    c.header('vary', 'Accept');
    return graphiql && prefersHtml(c) ? c.redirect('/graphql', 302) : c.json({ name: 'Gatehouse', links });
  });
}
