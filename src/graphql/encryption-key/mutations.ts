import { builder } from '../builder.ts';
import { RotationType, VerificationType } from './reports.ts';
import { EncryptionKeyType } from './type.ts';

const DEFAULT_LIMIT = 5_000;

builder.mutationFields((t) => ({
  addEncryptionKey: t.field({
    type: EncryptionKeyType,
    description:
      'Generates a new master key, saves it in the key file and encrypts new values with it from now on. Fails with CONFLICT if the keys come from the environment. For admins.',
    resolve: (_root, _args, { viewer, services }) => services.keys.add(viewer),
  }),

  rotateEncryptionKeys: t.field({
    type: RotationType,
    description:
      'Re-encrypts values that are not encrypted with the active master key. Call it until `remaining` equals `failureCount`. For admins.',
    args: {
      dryRun: t.arg.boolean({
        required: false,
        defaultValue: false,
        description: 'Only count the values, without changing any.',
      }),
      first: t.arg.int({
        required: false,
        defaultValue: DEFAULT_LIMIT,
        description: 'Approximate number of values to process in this call, 1 to 50,000.',
      }),
    },
    resolve: (_root, { dryRun, first }, { viewer, services }) =>
      services.keys.rotate(viewer, { dryRun: dryRun ?? false, limit: first ?? DEFAULT_LIMIT }),
  }),

  verifyEncryptedValues: t.field({
    type: VerificationType,
    description: 'Decrypts every stored secret and reports those that fail. For admins.',
    resolve: (_root, _args, { viewer, services }) => services.keys.verify(viewer),
  }),

  revokeEncryptionKey: t.field({
    type: EncryptionKeyType,
    description:
      'Revokes a master key permanently. While values are still encrypted with it, fails with CONFLICT, which tells how many and where. For admins.',
    args: { number: t.arg.int({ required: true, description: 'Number of the key.' }) },
    resolve: (_root, { number }, { viewer, services }) => services.keys.revoke(viewer, number),
  }),
}));
