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
  description: 'Which entries to list; all conditions must hold.',
  fields: (t) => ({
    actorId: t.field({ type: 'UUID', required: false, description: 'Only what this user did or tried.' }),
    action: t.field({ type: AuditActionEnum, required: false, description: 'Only this action.' }),
    outcome: t.field({ type: AuditOutcomeEnum, required: false, description: 'Only with this outcome.' }),
    targetType: t.field({ type: AuditTargetTypeEnum, required: false, description: 'Only about this kind of thing.' }),
    targetId: t.string({ required: false, description: 'Only about the thing of this id.' }),
    since: t.field({ type: 'DateTime', required: false, description: 'Only from then on.' }),
    until: t.field({ type: 'DateTime', required: false, description: 'Only before then.' }),
  }),
});

builder.queryFields((t) => ({
  verifyAuditLog: t.field({
    type: AuditVerificationType,
    description: 'Hashes every entry of the audit log anew. For admins and auditors.',
    resolve: (_root, _args, { viewer, services }) => services.auditLog.verify(viewer),
  }),

  mcpServerConfigHistory: t.field({
    type: AuditLogConnection,
    description:
      'Who changed which field of a config when, newest first, also of one that is gone. For admins and auditors.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'The config.' }), ...pageArgs },
    resolve: (_root, { id, ...args }, context) => {
      context.services.auditLog.assertConfigHistory(context.viewer);
      return resolveAuditPage(args, { targetType: 'mcp_server_config', targetId: id }, context);
    },
  }),

  auditLog: t.field({
    type: AuditLogConnection,
    description: 'Who did what, newest first. For admins and auditors.',
    args: { ...pageArgs, filter: t.arg({ type: AuditLogFilter, required: false, description: 'Which entries.' }) },
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
