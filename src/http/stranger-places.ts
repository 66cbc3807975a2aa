import type { CacheStatus } from '../cache/bounded-map.ts';
import { tooMany } from '../domain/feed/places.ts';
import { CACHE_BOUNDS } from '../limits/cache-bounds.ts';

/** Limits of connections that are not authenticated yet. */
export interface StrangerLimits {
  maxTotal: number;
  /** Of one network: an IPv4 address or an IPv6 /64. */
  maxPerNetwork: number;
}

/** What a place needs in memory, with the name of its network. */
const PLACE_BYTES = 500;

/** The place of one connection. */
export interface StrangerPlace {
  /** Protects the connection from eviction, because its caller is being identified. */
  speak(): void;
  /** Releases the place. Further calls have no effect. */
  leave(): void;
}

/**
 * Counts connections that are not authenticated yet. When a network has no place left, its oldest connection that has sent
 * nothing is evicted for a new one. When all places are taken, the oldest silent connection of the largest network is
 * evicted. So a network that opens many connections evicts only its own.
 */
export function createStrangerPlaces({ maxTotal, maxPerNetwork }: StrangerLimits) {
  /** The connections of each network, oldest first, with a function that ends each. */
  const networks = new Map<string, Map<StrangerPlace, { evict: () => void; isSilent: boolean }>>();
  let taken = 0;

  const findCrowded = (network: string): string | undefined => {
    if ((networks.get(network)?.size ?? 0) >= maxPerNetwork) return network;
    if (taken < maxTotal) return undefined;
    return [...networks].reduce((most, each) => (each[1].size > most[1].size ? each : most))[0];
  };

  const findSilent = (network: string) => [...(networks.get(network) ?? [])].find(([, { isSilent }]) => isSilent);

  const hasRoom = (network: string): boolean => {
    const crowded = findCrowded(network);
    return crowded === undefined || findSilent(crowded) !== undefined;
  };

  return {
    status: (): CacheStatus => ({ ...CACHE_BOUNDS.strangers, entries: taken, bytes: taken * PLACE_BYTES }),

    /** Whether a new connection of this network would get a place. */
    hasRoom,

    /**
     * Takes a place. Another connection may have to make room for it.
     *
     * @param evict ends the connection
     * @throws RATE_LIMITED if there is none
     */
    take(network: string, evict: () => void): StrangerPlace {
      const crowded = findCrowded(network);
      if (crowded !== undefined) {
        const [place, silent] = findSilent(crowded) ?? [];
        if (place === undefined || silent === undefined) throw tooMany();
        place.leave();
        silent.evict();
      }
      const places = networks.get(network) ?? new Map();
      networks.set(network, places);
      const state = { evict, isSilent: true };
      const place: StrangerPlace = {
        speak() {
          state.isSilent = false;
        },
        leave() {
          if (!places.delete(place)) return;
          taken -= 1;
          if (places.size === 0) networks.delete(network);
        },
      };
      places.set(place, state);
      taken += 1;
      return place;
    },
  };
}
