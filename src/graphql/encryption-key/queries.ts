import { builder } from '../builder.ts';
import { EncryptionKeyType } from './type.ts';

builder.queryFields((t) => ({
  encryptionKeys: t.field({
    type: [EncryptionKeyType],
    description: 'All master keys, including revoked ones, oldest first. For admins and auditors.',
    resolve: (_root, _args, { viewer, services }) => services.keys.list(viewer),
  }),
}));
