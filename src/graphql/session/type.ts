import type { SessionRecord } from '../../data/records.ts';
import { builder } from '../builder.ts';

/** `Session` */
export const SessionType = builder.objectRef<SessionRecord>('Session');

SessionType.implement({
  description:
    "A browser in which a user is signed in. The cookie itself is not shown. For admins, auditors and the session's user.",
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Permanent id of the session.' }),
    isCurrent: t.boolean({
      description: 'Whether this request uses the session.',
      resolve: ({ id }, _args, { viewer }) =>
        viewer.kind === 'user' && viewer.credential.kind === 'session' && viewer.credential.sessionId === id,
    }),
    apiTokenId: t.expose('apiTokenId', {
      type: 'UUID',
      nullable: true,
      description: 'Id of the API token that opened the session and ends it when it ends; null if none did.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the user signed in.' }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      description: 'When the session was last used, accurate to five minutes.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When the session ends at the latest, however much it is used.',
    }),
  }),
});
