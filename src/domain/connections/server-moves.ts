import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import type { McpServerConfigRecord, OAuthDiscoveryRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { toConfigTarget, toUpdateChanges } from '../configs/config-audit.ts';
import { toChangedColumns } from '../configs/config-changes.ts';
import { withSettings } from '../configs/config-discovery.ts';
import { type ConfigDraft, toDraft } from '../configs/config-draft.ts';
import { checkDraft } from '../configs/config-rules.ts';
import { isSameIssuer } from '../oauth/discovery/issuer-identifier.ts';
import { Issues } from '../validation/issues.ts';
import type { IsAllowedPrivateHost } from '../validation/url.ts';
import type { ConnectionEndings } from './connection-endings.ts';
import type { OAuthSettings, OAuthSetup } from './oauth-setup.ts';

/** Shown to the users of a server that moved. */
export const MOVED_REASON = 'The server moved to another authorization server; connect again.';

/** A move ends the connections of all users, so a server whose metadata changes to and fro is followed this often. */
const MIN_MOVE_INTERVAL_MS = 3_600_000;
/** How long not to ask a server again that did not answer, or that names a server where registration failed. */
const PAUSE_MS = 60_000;
/** For a discovery, which ends within 35 s, and one or two registrations. Each answers within 10 s or not at all. */
const LEASE_MS = 90_000;
const MAX_WAIT_MS = 12_000;
const POLL_MS = 50;

/** Follows MCP servers that move to another authorization server. */
export type ServerMoves = ReturnType<typeof createServerMoves>;

/** Creates the service. */
export function createServerMoves(options: {
  store: Store;
  setup: Pick<OAuthSetup, 'findNamedIssuers' | 'settle'>;
  endings: Pick<ConnectionEndings, 'loadProvider' | 'revokeLater'>;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  caches: Caches;
  now: () => Date;
}) {
  const { store, setup, endings, isAllowedPrivateHost, caches, now } = options;
  const pausedUntil = caches.createMap<string, number>(CACHE_BOUNDS.unfollowedServers, (id) => estimateBytes(id));
  /** One run per config, however many users connect at once. */
  const running = new Map<string, Promise<McpServerConfigRecord>>();

  const pause = (config: McpServerConfigRecord): McpServerConfigRecord => {
    pausedUntil.set(config.id, now().getTime() + PAUSE_MS);
    return config;
  };

  const mayMove = ({ id }: McpServerConfigRecord, { isPinned, movedAt }: OAuthDiscoveryRecord): boolean =>
    !isPinned &&
    (movedAt === null || now().getTime() - movedAt.getTime() >= MIN_MOVE_INTERVAL_MS) &&
    (pausedUntil.get(id) ?? 0) <= now().getTime();

  /** The config with the settings of the other server. Nothing of the old one is left in it. Null if a rule is broken. */
  const toMovedDraft = (config: McpServerConfigRecord, settings: OAuthSettings): ConfigDraft | null => {
    const issues = new Issues();
    const cleared = { ...toDraft(issues, {}, config), oauth2Issuer: '', oauth2RevocationUrl: '' };
    const draft = withSettings(cleared, settings, false);
    checkDraft(issues, { draft, input: {} }, isAllowedPrivateHost);
    return issues.first() === undefined ? draft : null;
  };

  /** Asks the other server first. Until it has registered the gateway, nothing changes. */
  const settle = async (
    config: McpServerConfigRecord,
    discovery: OAuthDiscoveryRecord,
  ): Promise<OAuthSettings | null> => {
    const { id: configId, url, transport, oauth2Scopes } = config;
    const scopes = oauth2Scopes.join(' ') === discovery.scopes.join(' ') ? [] : oauth2Scopes;
    try {
      // Without the existing client: the other server gets neither its id nor its secret.
      return await setup.settle({ configId, url, transport, scopes });
    } catch (error) {
      if (error instanceof DomainError && error.code === 'UPSTREAM_FAILED') return null;
      throw error;
    }
  };

  /** The caller holds the lease. */
  const move = async (configId: string, named: readonly string[], leaseId: string): Promise<McpServerConfigRecord> => {
    const config = await reload(store, configId);
    const discovery = await store.oauthDiscoveries.find(SYSTEM, { configId });
    // Another process, or an admin, was faster.
    if (discovery === null || isAmong(named, config.oauth2Issuer) || !mayMove(config, discovery)) return config;
    // Tokens are revoked where they were issued.
    const formerProvider = await endings.loadProvider(config);
    const settings = await settle(config, discovery);
    const draft = settings === null ? null : toMovedDraft(config, settings);
    if (settings === null || draft === null || isSameIssuer(draft.oauth2Issuer, config.oauth2Issuer))
      return pause(config);
    const columns = toChangedColumns(draft, config);
    const tokens = await store.transaction(async (tx) => {
      const isSaved = await tx.oauthDiscoveries.saveMove(SYSTEM, {
        configId,
        leaseId,
        version: config.version,
        discovery: { ...settings.discovery, movedAt: now() },
        config: columns,
      });
      if (!isSaved) return [];
      const ended = await tx.userTokens.endAll(SYSTEM, { configId, reason: MOVED_REASON });
      await tx.audit.append(SYSTEM, {
        actor: SYSTEM,
        action: 'mcpServerConfig.update',
        target: toConfigTarget(config),
        changes: toUpdateChanges(columns, config),
        reason: `The MCP server names another authorization server. ${ended.length} connections ended.`,
      });
      return ended;
    });
    endings.revokeLater(formerProvider, tokens);
    return reload(store, configId);
  };

  const run = async (config: McpServerConfigRecord): Promise<McpServerConfigRecord> => {
    const configId = config.id;
    const named = await setup.findNamedIssuers(config);
    if (named === null) return pause(config);
    const deadline = performance.now() + MAX_WAIT_MS;
    for (let current = config; !isAmong(named, current.oauth2Issuer); current = await reload(store, configId)) {
      const leaseId = randomUUID();
      if (await store.oauthDiscoveries.takeRegistrationLease(SYSTEM, { configId, leaseId, leaseMs: LEASE_MS })) {
        try {
          return await move(configId, named, leaseId);
        } finally {
          await store.oauthDiscoveries.releaseRegistrationLease(SYSTEM, { configId, leaseId });
        }
      }
      // Settings of an admin have no lease.
      if ((await store.oauthDiscoveries.find(SYSTEM, { configId })) === null || performance.now() > deadline) break;
      await sleep(POLL_MS);
    }
    return reload(store, configId);
  };

  return {
    /**
     * Returns the config with the settings of the authorization server that its MCP server names now. If that is another
     * one than before, and no admin gave the settings, the gateway discovers them, registers there, and ends the
     * connections. If any of this fails, everything stays as it was.
     */
    async follow(config: McpServerConfigRecord): Promise<McpServerConfigRecord> {
      const discovery = await store.oauthDiscoveries.find(SYSTEM, { configId: config.id });
      if (discovery === null || !mayMove(config, discovery)) return config;
      let current = running.get(config.id);
      if (current === undefined) {
        current = run(config).finally(() => running.delete(config.id));
        running.set(config.id, current);
      }
      return current;
    },
  };
}

function isAmong(named: readonly string[], issuer: string): boolean {
  return named.some((each) => isSameIssuer(each, issuer));
}

async function reload(store: Store, id: string): Promise<McpServerConfigRecord> {
  const config = await store.configs.findForConnection(SYSTEM, { id });
  if (config === null) throw notFound('MCP server config');
  return config;
}
