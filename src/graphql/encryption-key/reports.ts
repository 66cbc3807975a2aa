import type { RotationReport } from '../../data/keys/key-rotation.ts';
import type { VerificationReport } from '../../data/keys/key-verification.ts';
import type { UnopenedValue } from '../../data/sealing/sealed-rows.ts';
import { builder } from '../builder.ts';

/** A lost key may be behind any number of values; the first ones show which. */
const MAX_FAILURES = 1_000;

const UnopenedReasonEnum = builder.enumType('UnopenedReason', {
  description: 'Why a sealed value does not open.',
  values: {
    MALFORMED: { value: 'malformed', description: 'It is no sealed value.' },
    UNKNOWN_KEY: { value: 'unknown_key', description: 'The gateway does not have its key.' },
    COMMITMENT: { value: 'commitment', description: 'Another key sealed it than the one it names, or it was changed.' },
    TAG: { value: 'tag', description: 'It was changed, or belongs to another table, column, row or user.' },
  } as const,
});

const UnopenedValueType = builder.objectRef<UnopenedValue>('UnopenedValue').implement({
  description: 'A stored value that does not open. For admins.',
  fields: (t) => ({
    table: t.exposeString('table', { description: "The table's name in the database." }),
    column: t.exposeString('column', { description: "The column's name in the database." }),
    id: t.exposeString('id', { description: "The row's primary key." }),
    reason: t.expose('reason', { type: UnopenedReasonEnum, description: 'Why it does not open.' }),
  }),
});

/** `EncryptionKeyRotation` */
export const RotationType = builder.objectRef<RotationReport>('EncryptionKeyRotation').implement({
  description: 'What a call of `rotateEncryptionKeys` did. For admins.',
  fields: (t) => ({
    total: t.exposeInt('total', { description: 'Values that another key had sealed when the call began.' }),
    resealed: t.exposeInt('resealed', { description: 'Values that the call sealed anew.' }),
    remaining: t.exposeInt('remaining', { description: 'Values that another key still seals.' }),
    failureCount: t.int({
      description: 'Values among these that the call met and that do not open.',
      resolve: (report) => report.failures.length,
    }),
    failures: t.field({
      type: [UnopenedValueType],
      description: `Which these are, the first ${MAX_FAILURES}.`,
      resolve: (report) => report.failures.slice(0, MAX_FAILURES),
    }),
  }),
});

/** `EncryptedValueVerification` */
export const VerificationType = builder.objectRef<VerificationReport>('EncryptedValueVerification').implement({
  description: 'What `verifyEncryptedValues` found. For admins.',
  fields: (t) => ({
    checked: t.exposeInt('checked', { description: 'Values that were tried, with the canary of each key.' }),
    failureCount: t.int({
      description: 'Values that do not open.',
      resolve: (report) => report.failures.length,
    }),
    failures: t.field({
      type: [UnopenedValueType],
      description: `Which these are, the first ${MAX_FAILURES}.`,
      resolve: (report) => report.failures.slice(0, MAX_FAILURES),
    }),
  }),
});
