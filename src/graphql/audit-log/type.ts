import {
  AUDIT_ACTIONS,
  AUDIT_OUTCOMES,
  AUDIT_TARGET_TYPES,
  type AuditEntryRecord,
  type FieldChange,
} from '../../data/records.ts';
import type { AuditVerification } from '../../domain/audit/audit-log.ts';
import { builder } from '../builder.ts';
import { UserType } from '../user/type.ts';

/** `mcpServerConfig.create` as `MCP_SERVER_CONFIG_CREATE`. */
function toEnumValues<Value extends string>(values: readonly Value[], toDescription: (value: Value) => string) {
  return Object.fromEntries(
    values.map((value) => [
      value
        .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
        .replaceAll('.', '_')
        .toUpperCase(),
      { value, description: toDescription(value) },
    ]),
  ) as Record<string, { value: Value; description: string }>;
}

/** `AuditAction` */
export const AuditActionEnum = builder.enumType('AuditAction', {
  description: 'What was done, tried or refused.',
  values: toEnumValues(AUDIT_ACTIONS, (action) => `${action} in the policy's words.`),
});

/** `AuditOutcome` */
export const AuditOutcomeEnum = builder.enumType('AuditOutcome', {
  description: 'How it ended.',
  values: toEnumValues(
    AUDIT_OUTCOMES,
    (outcome) =>
      ({ success: 'It was done.', denied: 'It was refused; nothing changed.', failed: 'It could not be done.' })[
        outcome
      ],
  ),
});

/** `AuditTargetType` */
export const AuditTargetTypeEnum = builder.enumType('AuditTargetType', {
  description: 'What an entry is about.',
  values: toEnumValues(AUDIT_TARGET_TYPES, (type) => `A thing of the kind ${type.replaceAll('_', ' ')}.`),
});

const AuditActorKindEnum = builder.enumType('AuditActorKind', {
  description: 'Who acted.',
  values: {
    USER: { value: 'user', description: 'A user.' },
    SYSTEM: { value: 'system', description: 'The gateway itself, or its operator by the command line.' },
    NOBODY: { value: 'nobody', description: 'A caller without a good credential.' },
  } as const,
});

const AuditChangeType = builder.objectRef<FieldChange>('AuditChange').implement({
  description: 'A field that changed. For admins and auditors.',
  fields: (t) => ({
    field: t.exposeString('field', { description: 'Its name.' }),
    isSecret: t.boolean({
      description: 'Whether it is a secret: then only that it changed is known.',
      resolve: (change) => 'changed' in change,
    }),
    before: t.string({
      nullable: true,
      description: 'Its value before, as JSON; null for a secret.',
      resolve: (change) => ('before' in change ? JSON.stringify(change.before) : null),
    }),
    after: t.string({
      nullable: true,
      description: 'Its value after, as JSON; null for a secret.',
      resolve: (change) => ('after' in change ? JSON.stringify(change.after) : null),
    }),
  }),
});

/** `AuditLogEntry` */
export const AuditLogEntryType = builder.objectRef<AuditEntryRecord>('AuditLogEntry').implement({
  description: 'What was done, tried or refused, by whom. Written once, never changed. For admins and auditors.',
  fields: (t) => ({
    id: t.string({ description: 'Counts the entries, without gaps.', resolve: ({ seq }) => seq.toString() }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When.' }),
    actorKind: t.expose('actorKind', { type: AuditActorKindEnum, description: 'Who acted.' }),
    actor: t.field({
      type: UserType,
      nullable: true,
      description: 'The user who acted, as he is now; null when he is gone, or no user acted.',
      resolve: ({ actorId }, _args, { loaders }) => (actorId === null ? null : loaders.userById.load(actorId)),
    }),
    actorId: t.expose('actorId', { type: 'UUID', nullable: true, description: 'The id of the user who acted.' }),
    actorEmail: t.exposeString('actorEmail', { nullable: true, description: 'His address as it was then.' }),
    action: t.expose('action', { type: AuditActionEnum, description: 'What.' }),
    outcome: t.expose('outcome', { type: AuditOutcomeEnum, description: 'How it ended.' }),
    targetType: t.expose('targetType', {
      type: AuditTargetTypeEnum,
      nullable: true,
      description: 'What kind of thing it is about.',
    }),
    targetId: t.exposeString('targetId', { nullable: true, description: 'Which one.' }),
    targetLabel: t.exposeString('targetLabel', { nullable: true, description: 'What it was called then.' }),
    changes: t.field({
      type: [AuditChangeType],
      description: 'What changed, secrets without their values.',
      resolve: ({ changes }) => changes,
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why it failed or was refused, or more about it.',
    }),
    requestId: t.exposeString('requestId', { nullable: true, description: 'The request, as the log names it.' }),
    address: t.exposeString('address', {
      nullable: true,
      description: "The caller's address, as far as trusted proxies tell it.",
    }),
  }),
});

/** `AuditLogConnection` */
export const AuditLogConnection = builder.connectionObject(
  { type: AuditLogEntryType, name: 'AuditLogConnection', description: 'A page of the audit log.' },
  { name: 'AuditLogEdge', description: 'An entry of the audit log and its cursor.' },
);

/** `AuditVerification` */
export const AuditVerificationType = builder.objectRef<AuditVerification>('AuditVerification').implement({
  description: 'Whether the audit log is as it was written. For admins and auditors.',
  fields: (t) => ({
    checked: t.exposeInt('checked', { description: 'Entries that were looked at.' }),
    brokenAt: t.string({
      nullable: true,
      description: 'The first entry where the chain does not hold; null when all of it does.',
      resolve: ({ broken }) => broken?.seq.toString() ?? null,
    }),
    problem: t.string({
      nullable: true,
      description: 'What is wrong there.',
      resolve: ({ broken }) => broken?.problem ?? null,
    }),
    head: t.string({ description: 'The newest entry.', resolve: ({ head }) => head.seq.toString() }),
    headHash: t.string({
      description: 'Its hash: kept elsewhere, it shows when the end of the log is replaced.',
      resolve: ({ head }) => head.hash,
    }),
  }),
});
