import { builder } from '../builder.ts';
import { pageArgs } from '../pagination.ts';
import { resolveAuditPage } from './page.ts';
import {
  AuditActionEnum,
  AuditLogConnection,
  AuditOutcomeEnum,
  AuditTargetTypeEnum,
  AuditVerificationType,
} from './type.ts';

const AuditLogFilter = builder.inputType('AuditLogFilter', {
  description: 'Which audit log entries to list. All given conditions must hold.',
  fields: (t) => ({
    actorId: t.field({ type: 'UUID', required: false, description: 'Only actions that this user did or attempted.' }),
    action: t.field({ type: AuditActionEnum, required: false, description: 'Only this action.' }),
    outcome: t.field({ type: AuditOutcomeEnum, required: false, description: 'Only with this outcome.' }),
    targetType: t.field({
      type: AuditTargetTypeEnum,
      required: false,
      description: 'Only entries about this kind of target.',
    }),
    targetId: t.string({ required: false, description: 'Only entries about the target with this id.' }),
    since: t.field({ type: 'DateTime', required: false, description: 'Only entries at or after this time.' }),
    until: t.field({ type: 'DateTime', required: false, description: 'Only entries before this time.' }),
  }),
});

builder.queryFields((t) => ({
  verifyAuditLog: t.field({
    type: AuditVerificationType,
    description: 'Recomputes the hash of every audit log entry and checks the chain. For admins and auditors.',
    deprecationReason: 'Use the mutation verifyAuditLog: it is recorded, and no link can start it.',
    resolve: (_root, _args, { viewer, services }) => services.auditLog.verify(viewer),
  }),

  mcpServerConfigHistory: t.field({
    type: AuditLogConnection,
    description:
      'Who changed which field of a config and when, newest first. Also works for a deleted config. For admins and auditors.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Id of the config.' }), ...pageArgs },
    resolve: (_root, { id, ...args }, context) => {
      context.services.auditLog.assertConfigHistory(context.viewer);
      return resolveAuditPage(args, { targetType: 'mcp_server_config', targetId: id }, context);
    },
  }),

  auditLog: t.field({
    type: AuditLogConnection,
    description: 'The audit log: who did what, newest first. For admins and auditors.',
    args: { ...pageArgs, filter: t.arg({ type: AuditLogFilter, required: false, description: 'Restricts the list.' }) },
    resolve: (_root, args, context) => {
      const { actorId, action, outcome, targetType, targetId, since, until } = args.filter ?? {};
      const filter = {
        actorId: actorId ?? undefined,
        action: action ?? undefined,
        outcome: outcome ?? undefined,
        targetType: targetType ?? undefined,
        targetId: targetId ?? undefined,
        since: since ?? undefined,
        until: until ?? undefined,
      };
      return resolveAuditPage(args, filter, context);
    },
  }),
}));
