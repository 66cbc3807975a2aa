import type { ApiTokenRecord } from '../../data/records.ts';
import { builder } from '../builder.ts';

/** `ApiToken` */
export const ApiTokenType = builder.objectRef<ApiTokenRecord>('ApiToken');

ApiTokenType.implement({
  description:
    "A user's API token, sent as a bearer token. The token itself is shown only once, when it is created. For admins and auditors.",
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Permanent id of the token.' }),
    name: t.exposeString('name', { description: 'The name the admin gave it.' }),
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
