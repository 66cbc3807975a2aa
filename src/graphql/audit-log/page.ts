import type { AuditFilter } from '../../data/repositories/audit-repository.ts';
import type { GraphQLContext } from '../context.ts';
import { cursorInvalid, decodeCursor, encodeCursor, takeFirst, toConnection } from '../pagination.ts';

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
    after: args.after == null ? undefined : parseCursor(args.after),
    filter,
  });
  return toConnection(
    page,
    ({ seq }) => encodeCursor(CURSOR_KIND, [seq.toString()]),
    () => services.auditLog.count(viewer, filter),
  );
}

function parseCursor(cursor: string): bigint {
  const [seq = ''] = decodeCursor(CURSOR_KIND, 1, cursor);
  if (!/^[1-9]\d{0,17}$/.test(seq)) throw cursorInvalid();
  return BigInt(seq);
}
