import type { Caches } from '../../cache/caches.ts';
import type { Store } from '../../data/store.ts';
import type { Experiment } from '../experiments.ts';
import { createAuditLog } from './audit-log.ts';
import { createDenials } from './denials.ts';

/** Creates the services of the audit log. */
export function createAudit(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  caches: Caches;
  now: () => Date;
}) {
  return { auditLog: createAuditLog(options), denials: createDenials(options) };
}
