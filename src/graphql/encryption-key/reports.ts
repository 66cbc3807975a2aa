import type { RotationReport } from '../../data/keys/key-rotation.ts';
import type { VerificationReport } from '../../data/keys/key-verification.ts';
import type { UnopenedValue } from '../../data/sealing/sealed-rows.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import { builder } from '../builder.ts';

/** A lost key can affect any number of values; the first ones are enough to find it. */
const MAX_FAILURES = OPERATION_LIMITS.listedFailures.value;

const UnopenedReasonEnum = builder.enumType('UnopenedReason', {
  description: 'Why an encrypted value cannot be decrypted.',
  values: {
    MALFORMED: { value: 'malformed', description: 'The stored text is not an encrypted value.' },
    UNKNOWN_KEY: { value: 'unknown_key', description: 'The gateway does not have the key that the value names.' },
    COMMITMENT: {
      value: 'commitment',
      description: 'The value was encrypted with another key than the one it names, or it was altered.',
    },
    TAG: { value: 'tag', description: 'The value was altered, or moved here from another table, column, row or user.' },
    DESTINATION: {
      value: 'destination',
      description:
        'The URLs beside the value are not those that it was entered for: they were changed outside of the gateway. It is not sent to them.',
    },
  } as const,
});

const UnopenedValueType = builder.objectRef<UnopenedValue>('UnopenedValue').implement({
  description: 'A stored value that cannot be decrypted. For admins.',
  fields: (t) => ({
    table: t.exposeString('table', { description: 'Name of the database table.' }),
    column: t.exposeString('column', { description: 'Name of the database column.' }),
    id: t.exposeString('id', { description: 'Primary key of the row.' }),
    reason: t.expose('reason', { type: UnopenedReasonEnum, description: 'Why it cannot be decrypted.' }),
  }),
});

/** `EncryptionKeyRotation` */
export const RotationType = builder.objectRef<RotationReport>('EncryptionKeyRotation').implement({
  description: 'Result of one `rotateEncryptionKeys` call. For admins.',
  fields: (t) => ({
    total: t.exposeInt('total', {
      description:
        'Number of values encrypted with another than the active key, or in an old format, when the call started.',
    }),
    resealed: t.exposeInt('resealed', { description: 'Number of values that this call re-encrypted.' }),
    remaining: t.exposeInt('remaining', {
      description: 'Number of values still encrypted with another than the active key, or in an old format.',
    }),
    failureCount: t.int({
      description: 'Number of these values that this call tried and could not decrypt.',
      resolve: (report) => report.failures.length,
    }),
    failures: t.field({
      type: [UnopenedValueType],
      description: `The values that could not be decrypted, at most the first ${MAX_FAILURES}.`,
      resolve: (report) => report.failures.slice(0, MAX_FAILURES),
    }),
  }),
});

/** `EncryptedValueVerification` */
export const VerificationType = builder.objectRef<VerificationReport>('EncryptedValueVerification').implement({
  description: 'Result of `verifyEncryptedValues`. For admins.',
  fields: (t) => ({
    checked: t.exposeInt('checked', { description: 'Number of values tried, including one test value for each key.' }),
    failureCount: t.int({
      description: 'Number of values that could not be decrypted.',
      resolve: (report) => report.failures.length,
    }),
    failures: t.field({
      type: [UnopenedValueType],
      description: `The values that could not be decrypted, at most the first ${MAX_FAILURES}.`,
      resolve: (report) => report.failures.slice(0, MAX_FAILURES),
    }),
  }),
});
