import DataLoader from 'dataloader';
import { type GraphQLResolveInfo, type OperationDefinitionNode, visit } from 'graphql';
import type { ConnectionRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { Services } from '../../domain/services.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** Fields of a config that are read from the viewer's connection. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['authConnected', 'viewerState', 'viewerStateReason']);

/** Whether operations ask for one of these. */
const asking = new WeakMap<OperationDefinitionNode, boolean>();

/** Creates what one operation knows of the viewer's connections. */
export function createOwnConnections(services: Pick<Services, 'connections'>, viewer: Viewer) {
  const known = new Map<string, ConnectionRecord | undefined>();
  const loader = new DataLoader<string, ConnectionRecord | undefined>(async (configIds) => {
    const connections = await services.connections.listOwn(viewer, configIds);
    return configIds.map((id) => connections.get(id));
  });

  return {
    /**
     * Reads the connections to the servers of a page, if the operation asks for them. Then their fields have values, and no
     * promises, which would cost more than everything else about them.
     */
    async prepare(configs: readonly McpServerConfigRecord[], info: GraphQLResolveInfo): Promise<void> {
      const ids = configs.filter(({ authType }) => authType === 'oauth2').map(({ id }) => id);
      if (ids.length === 0 || !asksForOwn(info)) return;
      // If it fails, so do the fields that need it, and no others.
      const found = await services.connections.listOwn(viewer, ids).catch(() => undefined);
      if (found !== undefined) for (const id of ids) known.set(id, found.get(id));
    },

    /** Reads a value from the viewer's connection. Only the auth type `oauth2` has connections. */
    read<Result>(
      { id, authType }: McpServerConfigRecord,
      toResult: (connection: ConnectionRecord | undefined) => Result,
    ): Result | Promise<Result> {
      if (authType !== 'oauth2' || known.has(id)) return toResult(known.get(id));
      return loader.load(id).then(toResult);
    },
  };
}

/** Goes by the names of fields: a field of the same name elsewhere costs a read too many. */
function asksForOwn({ operation, fragments }: GraphQLResolveInfo): boolean {
  const asked = asking.get(operation);
  if (asked !== undefined) return asked;
  let isAsking = false;
  for (const node of [operation, ...Object.values(fragments)]) {
    visit(node, {
      Field({ name }) {
        isAsking ||= OWN_FIELDS.has(name.value);
      },
    });
  }
  asking.set(operation, isAsking);
  return isAsking;
}
