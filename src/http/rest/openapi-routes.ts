import { Hono } from 'hono';
import type { HttpEnv } from '../context.ts';
import { createOpenApiDocument, type OpenApiOptions } from './openapi.ts';

/** `GET /api/openapi.json`: the OpenAPI document. Public, because it contains no stored data. */
export function createOpenApiRoutes(options: OpenApiOptions): Hono<HttpEnv> {
  const document = createOpenApiDocument(options);
  return new Hono<HttpEnv>().get('/api/openapi.json', (c) => c.json(document));
}
