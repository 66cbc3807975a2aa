import { Problem } from '../problem.ts';
import { CHAT_GROUP } from './chat-operations.ts';
import { toErrorComponents } from './openapi-errors.ts';
import { nameSchemas, type OpenApiPaths, toPaths, toSchemaComponents } from './openapi-paths.ts';
import type { RestGroup } from './operation.ts';
import { SERVER_GROUP, SHARED_CALLBACK_GROUP } from './server-operations.ts';

/** All groups of the REST API. */
const GROUPS: readonly RestGroup[] = [SERVER_GROUP, SHARED_CALLBACK_GROUP, CHAT_GROUP];

/** The parts of the document that depend on this gateway. */
export interface OpenApiOptions {
  /** The version of the gateway. */
  version: string;
  /** The URL at which clients reach the gateway, without a trailing slash. */
  publicUrl: string;
  sessionCookieName: string;
}

/** An OpenAPI document. */
export interface OpenApiDocument {
  openapi: '3.1.0';
  info: object;
  servers: object[];
  tags: object[];
  security: object[];
  paths: OpenApiPaths;
  components: Record<'schemas' | 'responses' | 'securitySchemes', Record<string, object>>;
}

/**
 * Creates the OpenAPI document from the same declarations that the routes are registered from (OpenAPI Specification
 * 3.1.0).
 */
export function createOpenApiDocument({ version, publicUrl, sessionCookieName }: OpenApiOptions): OpenApiDocument {
  const names = nameSchemas([{ Problem }, ...GROUPS.map((group) => group.schemas)]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse',
      version,
      summary: 'The REST API of the gateway.',
      description:
        'All paths also work with a trailing slash. Unknown fields in a request body and unknown query parameters are refused.',
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: publicUrl }],
    tags: GROUPS.map(({ name, description }) => ({ name, description })),
    security: [{ bearer: [] }, { coderSessionToken: [] }, { session: [] }],
    paths: toPaths(GROUPS, names),
    components: {
      schemas: toSchemaComponents(names),
      responses: toErrorComponents(),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API token (gth_…) or a JWT from the configured OIDC issuer.',
        },
        coderSessionToken: {
          type: 'apiKey',
          in: 'header',
          name: 'Coder-Session-Token',
          description: 'The same tokens, in the header that coder clients send.',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: sessionCookieName,
          description: 'The session cookie of a signed-in browser.',
        },
      },
    },
  };
}
