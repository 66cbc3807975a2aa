import type { AuditVerification } from '../../domain/audit/audit-log.ts';
import { builder } from '../builder.ts';
import { AuditVerificationType } from './type.ts';

const VerifyAuditLogPayload = builder
  .objectRef<{ verification: AuditVerification }>('VerifyAuditLogPayload')
  .implement({
    description: 'Result of `verifyAuditLog`.',
    fields: (t) => ({
      verification: t.expose('verification', { type: AuditVerificationType, description: 'What was found.' }),
    }),
  });

builder.mutationFields((t) => ({
  verifyAuditLog: t.field({
    type: VerifyAuditLogPayload,
    description:
      'Recomputes the hash of every audit log entry, checks the chain and records the result. For admins and auditors.',
    resolve: async (_root, _args, { viewer, services }) => ({
      verification: await services.auditLog.verifyAndRecord(viewer),
    }),
  }),
}));
