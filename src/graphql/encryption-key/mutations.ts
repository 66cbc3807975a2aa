import { builder } from '../builder.ts';
import { RotationType, VerificationType } from './reports.ts';
import { EncryptionKeyType } from './type.ts';

const DEFAULT_LIMIT = 5_000;

builder.mutationFields((t) => ({
  addEncryptionKey: t.field({
    type: EncryptionKeyType,
    description:
      'Makes a new master key that seals from now on, and keeps it in the key file; CONFLICT where the keys come from the environment. For admins.',
    resolve: (_root, _args, { viewer, services }) => services.keys.add(viewer),
  }),

  rotateEncryptionKeys: t.field({
    type: RotationType,
    description:
      'Seals values anew that another key than the active one sealed; call it until `remaining` is `failureCount`. For admins.',
    args: {
      dryRun: t.arg.boolean({ required: false, defaultValue: false, description: 'Only count.' }),
      first: t.arg.int({
        required: false,
        defaultValue: DEFAULT_LIMIT,
        description: 'About this many values in this call, 1 to 50,000.',
      }),
    },
    resolve: (_root, { dryRun, first }, { viewer, services }) =>
      services.keys.rotate(viewer, { dryRun: dryRun ?? false, limit: first ?? DEFAULT_LIMIT }),
  }),

  verifyEncryptedValues: t.field({
    type: VerificationType,
    description: 'Opens every sealed value and tells which do not open. For admins.',
    resolve: (_root, _args, { viewer, services }) => services.keys.verify(viewer),
  }),

  revokeEncryptionKey: t.field({
    type: EncryptionKeyType,
    description:
      'Ends a master key for good; CONFLICT, with how many values and where, while it seals anything. For admins.',
    args: { number: t.arg.int({ required: true, description: 'Which one.' }) },
    resolve: (_root, { number }, { viewer, services }) => services.keys.revoke(viewer, number),
  }),
}));
