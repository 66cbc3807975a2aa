import { Hono } from 'hono';
import type { HttpEnv } from '../context.ts';
import { createOpenApiDocument, type OpenApiOptions } from './openapi.ts';

/** `GET /api/openapi.json`: the OpenAPI document. Public, because it contains no stored data. */
export function createOpenApiRoutes(options: OpenApiOptions): Hono<HttpEnv> {
  let document: ReturnType<typeof createOpenApiDocument> | undefined;
  return new Hono<HttpEnv>().get('/api/openapi.json', (c) => {
    // Most processes are never asked for it.
    document ??= createOpenApiDocument(options);
    return c.json(document);
  });
}
