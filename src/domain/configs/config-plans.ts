import type { McpServerConfigRecord, McpToolApproval, McpTransport } from '../../data/records.ts';
import type { OAuthDiscoveryColumns } from '../../data/repositories/oauth-discovery-repository.ts';
import type { Store } from '../../data/store.ts';
import { conflict, DomainError } from '../../errors.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import type { ConnectionEndings } from '../connections/connection-endings.ts';
import { type OAuthSettings, type OAuthSetup, type SetupReport, toExistingClient } from '../connections/oauth-setup.ts';
import type { OAuthProvider } from '../oauth/oauth-provider.ts';
import { Issues } from '../validation/issues.ts';
import { trimmed } from '../validation/text.ts';
import { checkUrl, type IsAllowedPrivateHost, type ResolveHosts } from '../validation/url.ts';
import { changesAuthorization } from './config-changes.ts';
import { leavesSettings, needsDiscovery, withoutSettings, withSettings } from './config-discovery.ts';
import { type ConfigDraft, toDraft } from './config-draft.ts';
import type { ConfigInput } from './config-input.ts';
import { checkDraft } from './config-rules.ts';
import type { StoredConfig } from './secret-origins.ts';

/** What happens to the discovered settings of a config. */
export type DiscoveryChange = { kind: 'none' } | { kind: 'save'; columns: OAuthDiscoveryColumns } | { kind: 'remove' };

/** A validated config to be written, with all results from other servers. */
export interface ConfigPlan {
  draft: ConfigDraft;
  discovery: DiscoveryChange;
}

/** A plan for an update. */
export interface ConfigUpdatePlan extends ConfigPlan {
  /** Whether the users' tokens are removed. */
  endsConnections: boolean;
}

/** The results from other servers that an update needs. They are fetched outside of transactions. */
export interface Preparation {
  /** The config version that this was prepared for. It is invalid for other versions. */
  version: number;
  settings: OAuthSettings | undefined;
  /** Where the users' tokens are revoked. Null when nowhere. */
  formerProvider: OAuthProvider | null;
}

/** Works out a change before anything is written. */
export type ConfigPlans = ReturnType<typeof createConfigPlans>;

/** Creates the planner. It may wait for other servers, so do not call it in a transaction (except `planUpdate`). */
export function createConfigPlans(options: {
  store: Store;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  resolveHosts: ResolveHosts;
  setup: OAuthSetup;
  endings: ConnectionEndings;
  /** Of a new server, if its input does not say. */
  defaultToolApproval: McpToolApproval;
}) {
  const { store, isAllowedPrivateHost, resolveHosts, setup, endings, defaultToolApproval } = options;

  const toCheckedDraft = (input: ConfigInput, before?: StoredConfig): ConfigDraft => {
    const issues = new Issues();
    const draft = toDraft(issues, input, before?.config);
    checkDraft(issues, { draft, input, before }, isAllowedPrivateHost);
    issues.throwIfAny();
    return draft;
  };

  const withCheckedSettings = (draft: ConfigDraft, settings: OAuthSettings, hasStoredSecret: boolean): ConfigPlan => {
    const settled = withSettings(draft, settings, hasStoredSecret);
    const issues = new Issues();
    checkDraft(issues, { draft: settled, input: {} }, isAllowedPrivateHost);
    const problem = issues.first();
    if (problem !== undefined) {
      const message = `The discovered settings cannot be used: ${problem.path.join('.')}: ${problem.message}`;
      throw new DomainError('UPSTREAM_FAILED', message, { step: 'authorization_server_metadata' });
    }
    // What an admin gave does not change by itself, nor does what would be used together with it.
    const isPinned = draft.oauth2Issuer !== '' || draft.oauth2RevocationUrl !== '';
    return { draft: settled, discovery: { kind: 'save', columns: { ...settings.discovery, isPinned } } };
  };

  const toUpdateDraft = async (
    from: Pick<Store, 'oauthDiscoveries' | 'configs'>,
    { current, patch }: { current: McpServerConfigRecord; patch: ConfigInput },
  ) => {
    const found =
      current.authType === 'oauth2' ? await from.oauthDiscoveries.find(SYSTEM, { configId: current.id }) : null;
    const movesServer = patch.url !== undefined && patch.url?.trim() !== current.url;
    const isRediscovered = found !== null && movesServer && leavesSettings(patch);
    const secretOrigins = await from.configs.readSecretOrigins(SYSTEM, { id: current.id });
    const before = { config: current, secretOrigins };
    const draft = toCheckedDraft(isRediscovered ? withoutSettings(patch) : patch, before);
    return { found, draft };
  };

  return {
    /** @param onAllowed called before any server is asked @throws VALIDATION_FAILED when a config may not have this URL */
    async previewDiscovery(
      { url, transport }: { url: string; transport: McpTransport },
      onAllowed?: (url: URL) => Promise<void>,
    ): Promise<SetupReport> {
      const issues = new Issues();
      const trimmedUrl = trimmed(url);
      await resolveHosts([trimmedUrl]);
      checkUrl(issues, ['url'], trimmedUrl, isAllowedPrivateHost);
      issues.throwIfAny();
      await onAllowed?.(new URL(trimmedUrl));
      return setup.discover({ url: trimmedUrl, transport, scopes: [] });
    },

    /**
     * Checks settings that are only tested: a stored config, one with changes, or one that does not exist.
     *
     * @throws VALIDATION_FAILED with all problems
     */
    async planTest(args: { current: McpServerConfigRecord | null; input: ConfigInput }): Promise<ConfigDraft> {
      const { current, input } = args;
      await resolveHosts([...listUrls(input), ...(current === null ? [] : listUrls(current))]);
      if (current === null) return toCheckedDraft({ displayName: 'Test', slug: 'test', ...input });
      // A test does not send it, so it need not be given again.
      const secretOrigins = await store.configs.readSecretOrigins(SYSTEM, { id: current.id });
      const tested = current.hasOAuth2Secret ? { ...input, oauth2ClientSecret: null } : input;
      return toCheckedDraft(tested, { config: current, secretOrigins });
    },

    /** @throws VALIDATION_FAILED with all problems, CONFLICT, UPSTREAM_FAILED */
    async planCreation(
      viewer: Viewer,
      { id, input, isDryRun }: { id: string; input: ConfigInput; isDryRun?: boolean },
    ): Promise<ConfigPlan> {
      await resolveHosts(listUrls(input));
      const draft = toCheckedDraft({ ...input, toolApproval: input.toolApproval ?? defaultToolApproval });
      if (!needsDiscovery(draft)) return { draft, discovery: { kind: 'none' } };
      // Check this before registering a client elsewhere.
      if ((await store.configs.findBySlug(viewer, { slug: draft.slug })) !== null) throw slugTaken(draft.slug);
      const { url, transport, oauth2Scopes: scopes } = draft;
      return withCheckedSettings(draft, await setup.settle({ configId: id, url, transport, scopes, isDryRun }), false);
    },

    /** Looks up the hosts of an update. Call it before the transaction, because it may wait for other servers. */
    async lookUpHosts(viewer: Viewer, { id, patch }: { id: string; patch: ConfigInput }): Promise<void> {
      const current = await store.configs.findById(viewer, { id });
      await resolveHosts([...listUrls(patch), ...(current === null ? [] : listUrls(current))]);
    },

    /**
     * Plans an update within the caller's transaction.
     *
     * @param preparation made for this version of the config
     * @returns undefined when the update needs a preparation and has none
     * @throws VALIDATION_FAILED with all problems
     */
    async planUpdate(
      tx: Pick<Store, 'oauthDiscoveries' | 'configs'>,
      args: { current: McpServerConfigRecord; patch: ConfigInput; preparation: Preparation | undefined },
    ): Promise<ConfigUpdatePlan | undefined> {
      const { current, patch, preparation } = args;
      const { found, draft } = await toUpdateDraft(tx, args);
      let plan: ConfigPlan = { draft, discovery: toKeptDiscovery(draft, patch, found !== null) };
      if (needsDiscovery(draft)) {
        if (preparation?.settings === undefined) return undefined;
        plan = withCheckedSettings(draft, preparation.settings, current.hasOAuth2Secret);
      }
      const endsConnections = changesAuthorization(plan.draft, current);
      if (endsConnections && current.authType === 'oauth2' && preparation === undefined) return undefined;
      return { ...plan, endsConnections };
    },

    /**
     * Fetches what an update needs from other servers: discovers settings, and loads the provider for revoking tokens.
     *
     * @throws VALIDATION_FAILED with all problems, UPSTREAM_FAILED
     */
    async prepareUpdate(args: {
      current: McpServerConfigRecord;
      patch: ConfigInput;
      isDryRun?: boolean;
    }): Promise<Preparation> {
      const { current, isDryRun } = args;
      const { found, draft } = await toUpdateDraft(store, args);
      const { url, transport, oauth2Scopes } = draft;
      // Discovered scopes are discovered again.
      const scopes = found !== null && isSameList(oauth2Scopes, found.scopes) ? [] : oauth2Scopes;
      const existing = toExistingClient(current, found);
      const settings = needsDiscovery(draft)
        ? await setup.settle({ configId: current.id, url, transport, scopes, existing, isDryRun })
        : undefined;
      return { version: current.version, settings, formerProvider: await endings.loadProvider(current) };
    },
  };
}

/** All URLs of a config or of an input. */
function listUrls(config: ConfigInput): string[] {
  const { url, iconUrl, oauth2AuthUrl, oauth2TokenUrl, oauth2RevocationUrl, oauth2Issuer } = config;
  return [url, iconUrl, oauth2AuthUrl, oauth2TokenUrl, oauth2RevocationUrl, oauth2Issuer].filter(
    (each) => each != null,
  );
}

/** Settings that an admin changes, or that are cleared with the auth type, no longer count as discovered. */
function toKeptDiscovery(draft: ConfigDraft, patch: ConfigInput, isDiscovered: boolean): DiscoveryChange {
  if (!isDiscovered) return { kind: 'none' };
  const isKept = draft.authType === 'oauth2' && leavesSettings(patch);
  return { kind: isKept ? 'none' : 'remove' };
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((each, index) => each === right[index]);
}

/** The error for a slug that another config has. */
export function slugTaken(slug: string): DomainError {
  return conflict('slug', `Another config already has the slug "${slug}"; choose a different one.`);
}
