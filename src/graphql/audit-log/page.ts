import type { AuditFilter } from '../../data/repositories/audit-repository.ts';
import type { GraphQLContext } from '../context.ts';
import { decodeCursor, encodeCursor, takeFirst, toConnection } from '../pagination.ts';

const CURSOR_KIND = 'audit';

/** One page of the audit log entries that match a filter, newest first. */
export async function resolveAuditPage(
  args: { first?: number | null | undefined; after?: string | null | undefined },
  filter: AuditFilter,
  context: GraphQLContext,
) {
  const { viewer, services } = context;
  const page = await services.auditLog.list(viewer, {
    first: takeFirst(args.first, context),
    after: args.after == null ? undefined : parseCursor(context, args.after),
    filter,
  });
  return toConnection(
    page,
    ({ seq }) => encodeCursor(context, CURSOR_KIND, [seq.toString()]),
    () => services.auditLog.count(viewer, filter),
  );
}

function parseCursor(context: GraphQLContext, cursor: string): bigint {
  const [seq = ''] = decodeCursor(context, CURSOR_KIND, cursor);
  return BigInt(seq);
}
