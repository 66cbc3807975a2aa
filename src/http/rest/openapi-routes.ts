import { Hono } from 'hono';
import type { HttpEnv } from '../context.ts';
import { createOpenApiDocument, type OpenApiOptions } from './openapi.ts';

/** `GET /api/openapi.json`: how to use REST. For everybody, as it says nothing about what is stored. */
export function createOpenApiRoutes(options: OpenApiOptions): Hono<HttpEnv> {
  const document = createOpenApiDocument(options);
  return new Hono<HttpEnv>().get('/api/openapi.json', (c) => c.json(document));
}
