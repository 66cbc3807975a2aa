import type { ApiTokenRecord } from '../../data/records.ts';
import { builder } from '../builder.ts';

/** `ApiToken` */
export const ApiTokenType = builder.objectRef<ApiTokenRecord>('ApiToken');

ApiTokenType.implement({
  description: 'A bearer token of a user. The token itself is shown once, when it is made. For admins and auditors.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Identity, for ever.' }),
    name: t.exposeString('name', { description: 'What the admin called it.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When it ends; null: never.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the hour.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});
