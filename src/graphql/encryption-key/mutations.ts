import type { KeyRecord } from '../../data/keys/key-list.ts';
import type { RotationReport } from '../../data/keys/key-rotation.ts';
import type { VerificationReport } from '../../data/keys/key-verification.ts';
import { builder } from '../builder.ts';
import { formerResult } from '../mutation-shape/former-fields.ts';
import { takeInput, USE_INPUT } from '../mutation-shape/mutation-input.ts';
import { RotationType, VerificationType } from './reports.ts';
import { EncryptionKeyType } from './type.ts';

const DEFAULT_LIMIT = 5_000;
const FIRST = `Approximate number of values to process in this call, 1 to 50,000. Default: ${DEFAULT_LIMIT}.`;
const DRY_RUN = 'Only count the values, without changing any. Default: false.';

const RotateEncryptionKeysInput = builder.inputType('RotateEncryptionKeysInput', {
  description: 'How to re-encrypt.',
  fields: (t) => ({
    dryRun: t.boolean({ required: false, description: DRY_RUN }),
    first: t.int({ required: false, description: FIRST }),
  }),
});

const RevokeEncryptionKeyInput = builder.inputType('RevokeEncryptionKeyInput', {
  description: 'The master key to revoke.',
  fields: (t) => ({ number: t.int({ required: true, description: 'Number of the key.' }) }),
});

const AddEncryptionKeyPayload = builder.objectRef<{ encryptionKey: KeyRecord }>('AddEncryptionKeyPayload').implement({
  description: 'The added key.',
  fields: (t) => ({
    encryptionKey: t.expose('encryptionKey', {
      type: EncryptionKeyType,
      description: 'The new key.',
      ...formerResult,
    }),
  }),
});

const RotateEncryptionKeysPayload = builder
  .objectRef<{ rotation: RotationReport }>('RotateEncryptionKeysPayload')
  .implement({
    description: 'Result of `rotateEncryptionKeys`.',
    fields: (t) => ({
      rotation: t.expose('rotation', { type: RotationType, description: 'What this call did.', ...formerResult }),
    }),
  });

const VerifyEncryptedValuesPayload = builder
  .objectRef<{ verification: VerificationReport }>('VerifyEncryptedValuesPayload')
  .implement({
    description: 'Result of `verifyEncryptedValues`.',
    fields: (t) => ({
      verification: t.expose('verification', {
        type: VerificationType,
        description: 'What was found.',
        ...formerResult,
      }),
    }),
  });

const RevokeEncryptionKeyPayload = builder
  .objectRef<{ encryptionKey: KeyRecord }>('RevokeEncryptionKeyPayload')
  .implement({
    description: 'The revoked key.',
    fields: (t) => ({
      encryptionKey: t.expose('encryptionKey', {
        type: EncryptionKeyType,
        description: 'The key, with `revokedAt` set.',
        ...formerResult,
      }),
    }),
  });

builder.mutationFields((t) => ({
  addEncryptionKey: t.field({
    type: AddEncryptionKeyPayload,
    description:
      'Generates a new master key, saves it in the key file and encrypts new values with it from now on. Fails with CONFLICT if the keys come from the environment. For admins.',
    resolve: async (_root, _args, { viewer, services }) => ({ encryptionKey: await services.keys.add(viewer) }),
  }),

  rotateEncryptionKeys: t.field({
    type: RotateEncryptionKeysPayload,
    description:
      'Re-encrypts values that are not encrypted with the active master key. Call it until `remaining` equals `failureCount`. For admins.',
    args: {
      input: t.arg({ type: RotateEncryptionKeysInput, required: false, description: 'How to re-encrypt.' }),
      dryRun: t.arg.boolean({ required: false, description: DRY_RUN, deprecationReason: USE_INPUT }),
      first: t.arg.int({ required: false, description: FIRST, deprecationReason: USE_INPUT }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { dryRun, first } = takeInput(input, former, []);
      const rotation = await services.keys.rotate(viewer, { dryRun: dryRun ?? false, limit: first ?? DEFAULT_LIMIT });
      return { rotation };
    },
  }),

  verifyEncryptedValues: t.field({
    type: VerifyEncryptedValuesPayload,
    description: 'Decrypts every stored secret and reports those that fail. For admins.',
    resolve: async (_root, _args, { viewer, services }) => ({ verification: await services.keys.verify(viewer) }),
  }),

  revokeEncryptionKey: t.field({
    type: RevokeEncryptionKeyPayload,
    description:
      'Revokes a master key permanently. While values are still encrypted with it, fails with CONFLICT, which tells how many and where. For admins.',
    args: {
      input: t.arg({ type: RevokeEncryptionKeyInput, required: false, description: 'The key. Required.' }),
      number: t.arg.int({ required: false, description: 'Number of the key.', deprecationReason: USE_INPUT }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { number } = takeInput(input, former, ['number']);
      return { encryptionKey: await services.keys.revoke(viewer, number) };
    },
  }),
}));
