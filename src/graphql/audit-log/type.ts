import {
  AUDIT_ACTIONS,
  AUDIT_OUTCOMES,
  AUDIT_TARGET_TYPES,
  type AuditAction,
  type AuditEntryRecord,
  type AuditTargetType,
  type FieldChange,
} from '../../data/records.ts';
import type { AuditVerification } from '../../domain/audit/audit-log.ts';
import { builder } from '../builder.ts';
import { UserType } from '../user/type.ts';

const ACTION_DESCRIPTIONS: Readonly<Record<AuditAction, string>> = {
  'mcpServerConfig.create': 'An MCP server was defined.',
  'mcpServerConfig.update': 'An MCP server was changed.',
  'mcpServerConfig.delete': 'An MCP server was deleted.',
  'mcpServerConfig.discoverOAuth': 'The OAuth 2 settings of an MCP server were discovered as a dry run.',
  'mcpServerConfig.test': 'An MCP server was tested step by step.',
  'mcpServerTools.refresh': "An admin listed a server's tools.",
  'mcpServerTools.approve': 'An admin approved tools of a server.',
  'mcpServerTools.change': 'A server lists other tools than before: the digests before and after.',
  'mcpTool.call': 'A tool was called, or the call was refused: as whom, in which chat, and how long it took.',
  'mcpResource.read':
    'A resource of a server was read, or that was refused: as whom, in which chat, and how long it took.',
  'mcpPrompt.get': 'A prompt of a server was used, or that was refused: as whom, in which chat, and how long it took.',
  'mcpServerConnection.connect': 'A user connected their account to an MCP server.',
  'mcpServerConnection.disconnect': 'A user ended their own connection to an MCP server.',
  'mcpServerConnection.remove': 'An admin removed the tokens of one or all users for an MCP server.',
  'mcpServerConnection.refresh': "Refreshing a user's OAuth 2 token failed.",
  'chat.create': 'A chat was created.',
  'chat.update': 'The title or the servers of a chat were changed.',
  'chat.delete': 'A chat was deleted with its messages.',
  'chatMessage.create': 'A message was added to a chat.',
  'user.create': 'A user was created.',
  'user.update': 'A user was changed.',
  'user.delete': 'A user was deleted.',
  'user.provision': 'A user was created or updated from an OpenID Connect token.',
  'apiToken.create': 'An API token was created.',
  'apiToken.revoke': 'An API token was revoked.',
  'session.create': 'A user signed in.',
  'session.end': 'A user signed out, or an admin ended their session.',
  'signInLink.create': 'An admin created a sign-in link for a user.',
  'encryptionKey.add': 'A master key was added.',
  'encryptionKey.rotate': 'Stored secrets were re-encrypted with the active master key.',
  'encryptionKey.verify': 'All stored secrets were decrypted as a check.',
  'encryptionKey.revoke': 'A master key was revoked.',
  'auditLog.expire': 'Old audit log entries were removed.',
  'auditLog.verify': 'The hashes of the whole audit log were verified.',
  'access.denied': 'An operation was refused.',
};

const TARGET_DESCRIPTIONS: Readonly<Record<AuditTargetType, string>> = {
  mcp_server_config: 'An MCP server config.',
  user: 'A user.',
  api_token: 'An API token.',
  chat: 'A chat.',
  encryption_key: 'A master key.',
  operation: 'An operation that was refused, such as a GraphQL field or a REST route.',
};

/** Names enum values in the GraphQL style: `mcpServerConfig.create` becomes `MCP_SERVER_CONFIG_CREATE`. */
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
  description: 'What the actor did or attempted.',
  values: toEnumValues(AUDIT_ACTIONS, (action) => ACTION_DESCRIPTIONS[action]),
});

/** `AuditOutcome` */
export const AuditOutcomeEnum = builder.enumType('AuditOutcome', {
  description: 'The outcome of the action.',
  values: toEnumValues(
    AUDIT_OUTCOMES,
    (outcome) =>
      ({
        success: 'The action succeeded.',
        denied: 'The action was refused; nothing changed.',
        failed: 'The action failed.',
      })[outcome],
  ),
});

/** `AuditTargetType` */
export const AuditTargetTypeEnum = builder.enumType('AuditTargetType', {
  description: 'The kind of target that an entry is about.',
  values: toEnumValues(AUDIT_TARGET_TYPES, (type) => TARGET_DESCRIPTIONS[type]),
});

const AuditActorKindEnum = builder.enumType('AuditActorKind', {
  description: 'Kinds of actors.',
  values: {
    USER: { value: 'user', description: 'A user.' },
    SYSTEM: { value: 'system', description: 'The gateway itself, or its operator on the command line.' },
    NOBODY: { value: 'nobody', description: 'A caller without a valid credential.' },
  } as const,
});

const AuditChangeType = builder.objectRef<FieldChange>('AuditChange').implement({
  description: 'A changed field. For admins and auditors.',
  fields: (t) => ({
    field: t.exposeString('field', { description: 'Name of the field.' }),
    isSecret: t.boolean({
      description: 'Whether the field holds a secret or a private text. Then the log records only that it changed.',
      resolve: (change) => 'changed' in change,
    }),
    before: t.string({
      nullable: true,
      description: 'The value before the change, as JSON; null if it is not recorded.',
      resolve: (change) => ('before' in change ? JSON.stringify(change.before) : null),
    }),
    after: t.string({
      nullable: true,
      description: 'The value after the change, as JSON; null if it is not recorded.',
      resolve: (change) => ('after' in change ? JSON.stringify(change.after) : null),
    }),
  }),
});

/** `AuditLogEntry` */
export const AuditLogEntryType = builder.objectRef<AuditEntryRecord>('AuditLogEntry').implement({
  description:
    'One audit log entry: an action that was done, attempted or refused, and who did it. Entries never change. For admins and auditors.',
  fields: (t) => ({
    id: t.id({
      description: 'Sequence number of the entry. The numbers have no gaps.',
      resolve: ({ seq }) => seq.toString(),
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When it happened.' }),
    actorKind: t.expose('actorKind', { type: AuditActorKindEnum, description: 'The kind of actor.' }),
    actor: t.field({
      type: UserType,
      nullable: true,
      description:
        'The user who acted, with their current data; null if the user was deleted or the actor is not a user.',
      resolve: ({ actorId }, _args, { loaders }) => (actorId === null ? null : loaders.userById.load(actorId)),
    }),
    actorId: t.expose('actorId', {
      type: 'UUID',
      nullable: true,
      description: 'Id of the user who acted; stays after the user is deleted.',
    }),
    actorEmail: t.exposeString('actorEmail', { nullable: true, description: "The user's email address at that time." }),
    action: t.expose('action', { type: AuditActionEnum, description: 'The action.' }),
    outcome: t.expose('outcome', { type: AuditOutcomeEnum, description: 'The outcome of the action.' }),
    targetType: t.expose('targetType', {
      type: AuditTargetTypeEnum,
      nullable: true,
      description: 'The kind of target.',
    }),
    targetId: t.exposeString('targetId', { nullable: true, description: 'Id of the target.' }),
    targetLabel: t.exposeString('targetLabel', { nullable: true, description: "The target's name at that time." }),
    changes: t.field({
      type: [AuditChangeType],
      description: 'The changed fields. Values of secrets are left out.',
      resolve: ({ changes }) => changes,
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why the action failed or was refused, or further details.',
    }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: "Id of the request, as in the gateway's log.",
    }),
    address: t.exposeString('address', {
      nullable: true,
      description: "The caller's IP address, as reported by trusted proxies.",
    }),
  }),
});

/** `AuditLogConnection` */
export const AuditLogConnection = builder.connectionObject(
  { type: AuditLogEntryType, name: 'AuditLogConnection', description: 'A page of the audit log.' },
  { name: 'AuditLogEdge', description: 'An audit log entry and its cursor.' },
);

/** `AuditVerification` */
export const AuditVerificationType = builder.objectRef<AuditVerification>('AuditVerification').implement({
  description: 'Result of checking the audit log for tampering. For admins and auditors.',
  fields: (t) => ({
    checked: t.exposeInt('checked', { description: 'Number of entries checked.' }),
    brokenAt: t.string({
      nullable: true,
      description: 'The first entry where the hash chain is broken; 0 if it is lost; null if it is intact.',
      resolve: ({ broken }) => broken?.seq.toString() ?? null,
    }),
    problem: t.string({
      nullable: true,
      description: 'What is wrong with that entry; null if the chain is intact.',
      resolve: ({ broken }) => broken?.problem ?? null,
    }),
    head: t.string({ description: 'Sequence number of the newest entry.', resolve: ({ head }) => head.seq.toString() }),
    headHash: t.string({
      description:
        'Hash of the newest entry. Store it elsewhere to detect later whether the end of the log was replaced.',
      resolve: ({ head }) => head.hash,
    }),
  }),
});
