import { DomainError } from '../../errors.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import type { ItemKind, UpstreamItem } from '../../mcp/list-items.ts';
import { UpstreamError } from '../../mcp/upstream-error.ts';
import { createListingPlaces } from '../catalogue/listing-places.ts';
import type { EffectiveServer } from '../catalogue/tool-servers.ts';
import type { UpstreamCalls } from '../upstreams/upstream-calls.ts';
import type { ItemMemory } from './item-memory.ts';

/** Lists what servers have besides tools. */
export type ExposedLists = ReturnType<typeof createExposedLists>;

/**
 * Creates what asks servers for these lists. They are not in the catalogue: nobody approves them, and few ask. A server
 * that fails has an empty list for a moment; one that is slow is waited for only so long, and its list goes on beside.
 *
 * @param options.onError learns of errors of the gateway itself
 * @param options.patienceMs for tests
 */
export function createExposedLists(options: {
  upstreamCalls: Pick<UpstreamCalls, 'listItems'>;
  itemMemory: ItemMemory;
  onError: (error: unknown) => void;
  patienceMs?: number;
}) {
  const { upstreamCalls, itemMemory, onError, patienceMs = MCP_LIMITS.itemPatience.value } = options;
  const places = createListingPlaces({
    atOnce: MCP_LIMITS.listings.value,
    slow: MCP_LIMITS.slowListings.value,
    patienceMs: MCP_LIMITS.listingPatience.value,
  });

  const ask = ({ config }: EffectiveServer, userId: string, kind: ItemKind): Promise<readonly UpstreamItem[]> =>
    places.run(config.id, async (signal) => {
      try {
        const outcome = await upstreamCalls.listItems({ configId: config.id, userId }, kind, { signal });
        return outcome.state === 'ok' ? outcome.value : [];
      } catch (error) {
        if (!(error instanceof UpstreamError) && !(error instanceof DomainError)) onError(error);
        return [];
      }
    });

  const get = (server: EffectiveServer, userId: string, kind: ItemKind) =>
    itemMemory.get({ config: server.config, userId, kind }, () => ask(server, userId, kind));

  return {
    /** The lists of some servers, in their order. Those that do not come in time are empty. */
    async read(servers: readonly EffectiveServer[], userId: string, kind: ItemKind) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<readonly UpstreamItem[]>((resolve) => {
        timer = setTimeout(() => resolve([]), patienceMs);
      });
      try {
        return await Promise.all(
          servers.map(async (server) => ({ server, items: await Promise.race([get(server, userId, kind), late]) })),
        );
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
