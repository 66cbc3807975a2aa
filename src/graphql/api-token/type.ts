import type { ApiTokenRecord } from '../../data/records.ts';
import { builder } from '../builder.ts';

/** `ApiTokenScope` */
export const ApiTokenScopeEnum = builder.enumType('ApiTokenScope', {
  description: 'What an API token can be used for. Everything else is FORBIDDEN.',
  values: {
    GRAPH: { value: 'graph', description: 'The graph, its subscriptions, and the REST API.' },
    MCP: { value: 'mcp', description: 'The tools of servers, under `/mcp`.' },
  } as const,
});

/** `ApiToken` */
export const ApiTokenType = builder.objectRef<ApiTokenRecord>('ApiToken');

ApiTokenType.implement({
  description:
    "A user's API token, sent as a bearer token. The token itself is shown only once, when it is created. For admins, auditors and the token's user.",
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Permanent id of the token.' }),
    name: t.exposeString('name', { description: 'The name that it was given.' }),
    scopes: t.expose('scopes', { type: [ApiTokenScopeEnum], description: 'What the token can be used for.' }),
    mcpServerIds: t.expose('mcpServerIds', {
      type: ['UUID'],
      nullable: true,
      description: 'Ids of the only servers whose tools the token can use; null if it is not limited to some.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the token expires; null if it never does.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the token was revoked; null if it was not.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the token was last used, accurate to the hour; null if it never was.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the token was created.' }),
  }),
});
