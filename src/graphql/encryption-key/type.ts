import type { KeyRecord } from '../../data/keys/key-list.ts';
import type { KeyUse } from '../../data/keys/key-usage.ts';
import { builder } from '../builder.ts';

const EncryptionKeyStatusEnum = builder.enumType('EncryptionKeyStatus', {
  description: 'What a master key is used for.',
  values: {
    ACTIVE: { value: 'active', description: 'It seals new values.' },
    DECRYPT_ONLY: { value: 'decrypt_only', description: 'It opens what it sealed.' },
    REVOKED: { value: 'revoked', description: 'It is not used any more.' },
  } as const,
});

const EncryptionKeyUse = builder.objectRef<KeyUse>('EncryptionKeyUse').implement({
  description: 'How many values of a column a key seals.',
  fields: (t) => ({
    table: t.exposeString('table', { description: "The table's name in the database." }),
    column: t.exposeString('column', { description: "The column's name in the database." }),
    count: t.exposeInt('count', { description: 'How many values.' }),
  }),
});

/** `EncryptionKey` */
export const EncryptionKeyType = builder.objectRef<KeyRecord>('EncryptionKey').implement({
  description: 'A master key that seals secrets. The key itself is nowhere in the graph. For admins and auditors.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'Its number in this database, counted from 1.' }),
    digest: t.exposeString('digest', { description: 'Its public name: a digest, which tells nothing about the key.' }),
    status: t.expose('status', { type: EncryptionKeyStatusEnum, description: 'What it is used for.' }),
    configured: t.exposeBoolean('isConfigured', { description: 'Whether the gateway that answers has the key.' }),
    sealedValueCount: t.exposeInt('sealedValueCount', { description: 'How many values it seals now.' }),
    uses: t.expose('uses', { type: [EncryptionKeyUse], description: 'Where these values are.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked.' }),
  }),
});
