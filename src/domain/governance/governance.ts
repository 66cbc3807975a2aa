import type { FeedStatus } from '../../data/memory/feed-reader.ts';
import type { Store } from '../../data/store.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { ImportedApprovals } from '../catalogue/imported-approvals.ts';
import type { ConfigLists } from '../configs/config-lists.ts';
import type { ConfigService } from '../configs/config-service.ts';
import type { ConnectionService } from '../connections/connection-service.ts';
import type { Experiment } from '../experiments.ts';
import { createConfigImpacts } from './config-impact.ts';
import { createServerExplanations } from './explain-server.ts';
import { createGatewayStatus } from './gateway-status.ts';
import { createServerTransfer } from './server-transfer.ts';

/** Creates the services that explain, preview and transfer what admins decide. */
export function createGovernance(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  configs: ConfigService;
  configLists: ConfigLists;
  connections: ConnectionService;
  catalogue: CatalogueService;
  importedApprovals: ImportedApprovals;
  readFeed: () => FeedStatus;
}) {
  return {
    explanations: createServerExplanations(options),
    gatewayStatus: createGatewayStatus(options),
    impacts: createConfigImpacts(options),
    transfer: createServerTransfer(options),
  };
}
