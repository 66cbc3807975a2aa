import type { McpToolApproval } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import type { Quotas } from '../../limits/quotas.ts';
import type { ConnectionEndings } from '../connections/connection-endings.ts';
import type { ConnectionService } from '../connections/connection-service.ts';
import type { OAuthSetup } from '../connections/oauth-setup.ts';
import type { Experiment } from '../experiments.ts';
import type { UserRates } from '../shares/user-rates.ts';
import type { IsAllowedPrivateHost, ResolveHosts } from '../validation/url.ts';
import { createConfigLists } from './config-lists.ts';
import { createConfigPlans } from './config-plans.ts';
import { createConfigRestore } from './config-restore.ts';
import { createConfigService } from './config-service.ts';

/** Creates the services of server configs. */
export function createConfigs(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  resolveHosts: ResolveHosts;
  setup: OAuthSetup;
  endings: ConnectionEndings;
  connections: ConnectionService;
  quotas: Quotas;
  userRates: Pick<UserRates, 'admitServerCheck'>;
  defaultToolApproval: McpToolApproval;
}) {
  const { store, experiments, endings, quotas, userRates } = options;
  const plans = createConfigPlans(options);
  const configs = createConfigService({ store, experiments, endings, quotas, userRates, plans });
  const configLists = createConfigLists(options);
  const configRestore = createConfigRestore({ store, experiments, configs });
  return { plans, services: { configs, configLists, configRestore } };
}
