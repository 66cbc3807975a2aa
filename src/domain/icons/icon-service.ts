import { hash } from 'node:crypto';
import type { Caches } from '../../cache/caches.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { notFound } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { findImageType } from './image-type.ts';

/** An icon, ready to be sent. */
export interface Icon {
  /** Its media type, found in its bytes. */
  type: string;
  bytes: Buffer<ArrayBuffer>;
  /** Changes with the bytes. */
  digest: string;
}

/** What is known about a URL. */
interface Found {
  /** Null if there is no icon at the URL. */
  icon: Icon | null;
  /** When the URL is asked again. */
  until: number;
}

const MAX_FETCHES = OUTBOUND_LIMITS.iconFetches.value;
/** How long an icon is shown without asking its server again. */
const KEPT_MS = OUTBOUND_LIMITS.iconTime.value;
/** How long a URL without an icon is not asked again. */
const MISSING_MS = OUTBOUND_LIMITS.missingIconTime.value;

const ACCEPT = 'image/avif,image/webp,image/png,image/jpeg,image/gif';

/** The icons of servers. */
export type IconService = ReturnType<typeof createIconService>;

/**
 * Creates the service. It fetches icons in place of the browsers of users: the servers of the icons learn nothing about
 * who looks at them, and pages need not allow images of strangers.
 */
export function createIconService(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  fetch: SafeFetch;
  caches: Caches;
  now: () => Date;
}) {
  const { store, experiments, fetch, caches, now } = options;
  const icons = caches.createPromiseCache<string, Found>(
    CACHE_BOUNDS.icons,
    (url, { icon }) => 2 * url.length + (icon?.bytes.byteLength ?? 0),
  );
  let fetches = 0;
  /** Not more than the requests that callers may have in progress. */
  const waiting: (() => void)[] = [];

  const load = async (url: string): Promise<Found> => {
    if (fetches < MAX_FETCHES) fetches += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    const icon = await fetchIcon(fetch, url);
    // Hands the place over, or gives it back.
    const next = waiting.shift();
    if (next === undefined) fetches -= 1;
    else next();
    return { icon, until: now().getTime() + (icon === null ? MISSING_MS : KEPT_MS) };
  };

  const findFor = async (url: string): Promise<Found> => {
    const first = icons.get(url);
    const known = await first;
    if (known !== undefined && known.until > now().getTime()) return known;
    // Somebody else who found it missing or too old may have started already.
    const current = icons.get(url);
    if (current !== undefined && current !== first) return current;
    return icons.start(url, load(url));
  };

  return {
    /**
     * The icon of a server that the viewer may see.
     *
     * @throws NOT_FOUND if they may not, or if it has none
     */
    async find(viewer: Viewer, configId: string): Promise<Icon> {
      assertCan(viewer, 'mcpServerConfig.read');
      assertExperiment(experiments, 'agents');
      const config = await store.configs.findById(viewer, { id: configId });
      if (config === null) throw notFound('MCP server config');
      const { iconUrl } = config;
      if (iconUrl === '') throw notFound('icon');
      const { icon } = await findFor(iconUrl);
      if (icon === null) throw notFound('icon');
      return icon;
    },
  };
}

/**
 * The address of a server's icon at the gateway. Null if it has none. It changes with the icon's URL, so that browsers do
 * not show the one before.
 */
export function toIconHref({ id, iconUrl }: Pick<McpServerConfigRecord, 'id' | 'iconUrl'>): string | null {
  if (iconUrl === '') return null;
  const version = hash('sha256', iconUrl, 'base64url').slice(0, 12);
  return `/api/experimental/mcp/servers/${id}/icon?v=${version}`;
}

/** Null if the answer is no image, whatever the reason: nobody is told what is at an address. */
async function fetchIcon(fetch: SafeFetch, url: string): Promise<Icon | null> {
  try {
    const answer = await fetch(url, { headers: { accept: ACCEPT } });
    if (answer.status !== 200) return null;
    const bytes = Buffer.from(await answer.arrayBuffer());
    const type = findImageType(bytes);
    if (type === undefined) return null;
    return { type, bytes, digest: hash('sha256', bytes, 'base64url') };
  } catch {
    return null;
  }
}
