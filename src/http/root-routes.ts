import { Hono } from 'hono';
import type { Config } from '../config.ts';
import type { HttpEnv } from './context.ts';

/** `GET /`: gives programs links. Browsers get the console there. Public, because it contains no stored data. */
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
    return c.json({ name: 'Gatehouse', links });
  });
}
