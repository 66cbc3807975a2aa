import { Problem } from '../problem.ts';
import { CHAT_GROUP } from './chat-operations.ts';
import { toErrorComponents } from './openapi-errors.ts';
import { nameSchemas, type OpenApiPaths, toPaths, toSchemaComponents } from './openapi-paths.ts';
import type { RestGroup } from './operation.ts';
import { SERVER_GROUP } from './server-operations.ts';

/** All that REST serves. */
const GROUPS: readonly RestGroup[] = [SERVER_GROUP, CHAT_GROUP];

/** What the document says about this gateway, rather than about the API. */
export interface OpenApiOptions {
  /** Of the gateway. */
  version: string;
  /** Where clients reach the gateway, without a slash at the end. */
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
 * Describes the REST API, from the declarations that its routes are registered from.
 * Source: OpenAPI Specification 3.1.0.
 */
export function createOpenApiDocument({ version, publicUrl, sessionCookieName }: OpenApiOptions): OpenApiDocument {
  const names = nameSchemas([{ Problem }, ...GROUPS.map((group) => group.schemas)]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse',
      version,
      summary: 'The REST API of the gateway.',
      description: 'Each path also works with a slash at its end. Fields of a body that are not listed are ignored.',
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
          description: "An API token (gth_…) or a JWT of the gateway's issuer.",
        },
        coderSessionToken: {
          type: 'apiKey',
          in: 'header',
          name: 'Coder-Session-Token',
          description: 'The same tokens, in the header that clients of coder send.',
        },
        session: { type: 'apiKey', in: 'cookie', name: sessionCookieName, description: 'A browser that is signed in.' },
      },
    },
  };
}
