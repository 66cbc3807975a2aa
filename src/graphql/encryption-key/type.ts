import type { KeyRecord } from '../../data/keys/key-list.ts';
import type { KeyUse } from '../../data/keys/key-use.ts';
import { builder } from '../builder.ts';

const EncryptionKeyStatusEnum = builder.enumType('EncryptionKeyStatus', {
  description: 'How a master key is used.',
  values: {
    ACTIVE: { value: 'active', description: 'Encrypts new values and decrypts its existing ones.' },
    DECRYPT_ONLY: { value: 'decrypt_only', description: 'Only decrypts values that were encrypted with it.' },
    REVOKED: { value: 'revoked', description: 'No longer used.' },
  } as const,
});

const EncryptionKeyUse = builder.objectRef<KeyUse>('EncryptionKeyUse').implement({
  description: 'How many values of one column are encrypted with a key.',
  fields: (t) => ({
    table: t.exposeString('table', { description: 'Name of the database table.' }),
    column: t.exposeString('column', { description: 'Name of the database column.' }),
    count: t.exposeInt('count', { description: 'Number of values.' }),
  }),
});

/** `EncryptionKey` */
export const EncryptionKeyType = builder.objectRef<KeyRecord>('EncryptionKey').implement({
  description: 'A master key that encrypts stored secrets. The key itself is never returned. For admins and auditors.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'Number of the key in this database, starting at 1.' }),
    digest: t.exposeString('digest', { description: 'Digest that identifies the key without revealing it.' }),
    status: t.expose('status', { type: EncryptionKeyStatusEnum, description: 'How the key is used.' }),
    configured: t.exposeBoolean('isConfigured', {
      description: 'Whether the replica that answers this request has the key.',
    }),
    sealedValueCount: t.exposeInt('sealedValueCount', {
      description: 'Number of values currently encrypted with this key.',
    }),
    uses: t.expose('uses', { type: [EncryptionKeyUse], description: 'Which columns these values are in.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the key was registered.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key was revoked; null if it was not.',
    }),
  }),
});
