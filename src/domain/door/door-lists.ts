import type { Caches } from '../../cache/caches.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import type { ListedTools } from './listed-tools.ts';

/** All tools of a door, as a list of revision 2026-07-28 has them. */
export interface DoorList {
  /** The definitions as JSON, with commas between them. */
  bytes: Buffer<ArrayBuffer>;
  /** Whether it was put together for this. */
  isNew: boolean;
}

interface Kept {
  parts: readonly ListedTools[];
  bytes: Buffer<ArrayBuffer>;
}

/** What an entry keeps for each of its bytes, with the parts that it was made of. */
const KEPT_FOR_BYTE = 3;

/**
 * Creates the memory of whole lists. To put a list of hundreds of tools together costs more than all the rest of a request
 * for it. A list is the same as long as its parts are the same objects (`createListedTools`). With a part of one user, it
 * is not kept.
 */
export function createDoorLists(caches: Caches) {
  const cache = caches.createMap<string, Kept>(
    CACHE_BOUNDS.doorLists,
    (key, { bytes }) => 2 * key.length + KEPT_FOR_BYTE * bytes.length,
  );

  /** @param key names the servers, and the kind of door @param toMore the tools of the gateway itself, as JSON */
  return (key: string, parts: readonly ListedTools[], toMore: () => readonly string[]): DoorList => {
    const known = cache.get(key);
    if (known?.parts.length === parts.length && known.parts.every((part, index) => part === parts[index])) {
      return { bytes: known.bytes, isNew: false };
    }
    const texts = [...parts.map(({ json }) => json), ...toMore()].filter((text) => text !== '');
    const bytes = Buffer.from(texts.join(','));
    if (parts.every(({ isKept }) => isKept)) cache.set(key, { parts, bytes });
    return { bytes, isNew: true };
  };
}
