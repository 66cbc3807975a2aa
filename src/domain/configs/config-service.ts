import { randomUUID } from 'node:crypto';
import { describeUniqueViolation, isForeignKeyViolation } from '../../data/database/database-error.ts';
import type { McpServerConfigRecord, McpTransport } from '../../data/records.ts';
import type { Repositories, Store } from '../../data/store.ts';
import { notFound, unauthenticated, versionMismatch } from '../../errors.ts';
import type { Quotas } from '../../limits/quotas.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { ConnectionEndings } from '../connections/connection-endings.ts';
import type { SetupReport } from '../connections/oauth-setup.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { checkQuota } from '../quotas/quota-check.ts';
import type { UserRates } from '../shares/user-rates.ts';
import { Issues } from '../validation/issues.ts';
import { isStorable } from '../validation/text.ts';
import { toConfigTarget, toCreationChanges, toDeletionChanges, toUpdateChanges } from './config-audit.ts';
import { toChangedColumns, toColumns } from './config-changes.ts';
import type { ConfigInput } from './config-input.ts';
import { type ConfigPlans, type ConfigUpdatePlan, type Preparation, slugTaken } from './config-plans.ts';

/** The dependencies of the config service. */
export interface ConfigServiceOptions {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  plans: ConfigPlans;
  endings: ConnectionEndings;
  quotas: Quotas;
  userRates: Pick<UserRates, 'admitServerCheck'>;
}

const WHAT = 'MCP server config';
/** How often a change is planned again after a concurrent change. */
const MAX_ATTEMPTS = 5;

/** Reads and writes the definitions of MCP servers. */
export type ConfigService = ReturnType<typeof createConfigService>;

/** Creates the service. It applies the access policy, the feature switch and the rules on top of the store. */
export function createConfigService({ store, experiments, plans, endings, quotas, userRates }: ConfigServiceOptions) {
  const assertRoom = (used: number): void => {
    const issues = new Issues();
    checkQuota(issues, [], { quota: 'serverConfigs', limit: quotas.serverConfigs, used });
    issues.throwIfAny();
  };

  return {
    /** A config by id or slug. Null both when it does not exist and when it is hidden from the viewer. */
    async find(viewer: Viewer, by: { id: string } | { slug: string }): Promise<McpServerConfigRecord | null> {
      assertCan(viewer, 'mcpServerConfig.read');
      assertExperiment(experiments, 'agents');
      if ('id' in by) return store.configs.findById(viewer, by);
      // PostgreSQL fails on text that it cannot store. No slug contains such text.
      return isStorable(by.slug) ? store.configs.findBySlug(viewer, by) : null;
    },

    /**
     * Previews what discovery would find for a server. Stores nothing. @throws FORBIDDEN, RATE_LIMITED, VALIDATION_FAILED for
     * a bad URL
     */
    async discoverOAuth(viewer: Viewer, args: { url: string; transport: McpTransport }): Promise<SetupReport> {
      assertCan(viewer, 'mcpServerConfig.discoverOAuth');
      assertExperiment(experiments, 'agents');
      await userRates.admitServerCheck(viewer);
      return plans.previewDiscovery(args);
    },

    /** The same, and records it before it calls other servers. @throws FORBIDDEN, RATE_LIMITED, VALIDATION_FAILED */
    async discoverOAuthAndRecord(viewer: Viewer, args: { url: string; transport: McpTransport }): Promise<SetupReport> {
      assertCan(viewer, 'mcpServerConfig.discoverOAuth');
      assertExperiment(experiments, 'agents');
      await userRates.admitServerCheck(viewer);
      return plans.previewDiscovery(args, async ({ origin }) => {
        const reason = `Asked ${origin}.`;
        await store.transaction((tx) =>
          tx.audit.append(SYSTEM, { actor: viewer, action: 'mcpServerConfig.discoverOAuth', reason }),
        );
      });
    },

    /**
     * Finds out whether `create` would accept an input, or `update` a patch: the same rules and the same discovery.
     * Stores nothing and registers no client.
     *
     * @throws what `create` or `update` would throw
     */
    async check(viewer: Viewer, args: { input: ConfigInput } | { id: string; patch: ConfigInput }): Promise<void> {
      assertExperiment(experiments, 'agents');
      if ('input' in args) {
        assertCan(viewer, 'mcpServerConfig.create');
        assertRoom(await store.configs.count(viewer, {}));
        const { draft } = await plans.planCreation(viewer, { id: randomUUID(), input: args.input, isDryRun: true });
        if ((await store.configs.findBySlug(viewer, { slug: draft.slug })) !== null) throw slugTaken(draft.slug);
        return;
      }
      assertCan(viewer, 'mcpServerConfig.update');
      await plans.lookUpHosts(viewer, args);
      const current = await store.configs.findById(viewer, args);
      if (current === null) throw notFound(WHAT);
      const { patch } = args;
      if ((await plans.planUpdate(store, { current, patch, preparation: undefined })) !== undefined) return;
      const preparation = await plans.prepareUpdate({ current, patch, isDryRun: true });
      await plans.planUpdate(store, { current, patch, preparation });
    },

    /**
     * @throws FORBIDDEN, VALIDATION_FAILED with all problems, or if there are too many configs; CONFLICT when the slug is
     *   taken, UPSTREAM_FAILED when settings must be discovered and cannot be
     */
    async create(viewer: Viewer, input: ConfigInput): Promise<McpServerConfigRecord> {
      assertCan(viewer, 'mcpServerConfig.create');
      assertExperiment(experiments, 'agents');
      const id = randomUUID();
      // Before other servers are asked: nobody registers a client for a config that there is no room for.
      assertRoom(await store.configs.count(viewer, {}));
      const { draft, discovery } = await plans.planCreation(viewer, { id, input });
      return withSlugConflict(draft.slug, () =>
        store.transaction(async (tx) => {
          assertRoom(await tx.usage.countConfigs(viewer, undefined));
          const createdById = viewerUserId(viewer) ?? null;
          const created = await tx.configs.create(viewer, { id, columns: toColumns(draft), createdById });
          if (discovery.kind === 'save') {
            await tx.oauthDiscoveries.save(viewer, { configId: id, columns: discovery.columns });
          }
          const changes = toCreationChanges(toColumns(draft));
          await tx.audit.append(SYSTEM, {
            actor: viewer,
            action: 'mcpServerConfig.create',
            target: toConfigTarget(created),
            changes,
          });
          return created;
        }),
      );
    },

    /**
     * Applies a patch. The rules apply to the merged result.
     *
     * @param args.reason why, for the audit log
     * @throws FORBIDDEN, NOT_FOUND, VERSION_MISMATCH, VALIDATION_FAILED with all problems, CONFLICT when the slug is
     *   taken, UPSTREAM_FAILED as for `create`
     */
    async update(
      viewer: Viewer,
      args: { id: string; patch: ConfigInput; expectedVersion?: number | undefined; reason?: string },
    ): Promise<McpServerConfigRecord> {
      assertCan(viewer, 'mcpServerConfig.update');
      assertExperiment(experiments, 'agents');
      const { id, patch, expectedVersion, reason } = args;
      await plans.lookUpHosts(viewer, args);
      let preparation: Preparation | undefined;
      for (let attempt = 1; ; attempt += 1) {
        const outcome = await withSlugConflict(patch.slug ?? '', () =>
          store.transaction(async (tx) => {
            const current = await tx.configs.lock(viewer, { id });
            if (current === null) throw notFound(WHAT);
            const { version } = current;
            if (expectedVersion !== undefined && expectedVersion !== version) throw versionMismatch(version);
            const prepared = preparation?.version === version ? preparation : undefined;
            const plan = await plans.planUpdate(tx, { current, patch, preparation: prepared });
            if (plan === undefined) return { isDone: false as const, current };
            return { isDone: true as const, ...(await writeUpdate(tx, viewer, { current, plan, reason })) };
          }),
        );
        if (outcome.isDone) {
          endings.revokeLater(preparation?.formerProvider ?? null, outcome.tokens);
          return outcome.config;
        }
        // Other servers are contacted between two transactions, never inside one. If the config changes meanwhile, it
        // is prepared again.
        if (attempt === MAX_ATTEMPTS) throw versionMismatch(outcome.current.version);
        preparation = await plans.prepareUpdate({ current: outcome.current, patch });
      }
    },

    /** Deletes a config and all users' tokens, which are revoked in the background. @throws FORBIDDEN, NOT_FOUND */
    async delete(viewer: Viewer, id: string): Promise<void> {
      assertCan(viewer, 'mcpServerConfig.delete');
      assertExperiment(experiments, 'agents');
      for (let attempt = 1; ; attempt += 1) {
        const found = await store.configs.findById(viewer, { id });
        if (found === null) throw notFound(WHAT);
        const provider = await endings.loadProvider(found);
        const outcome = await store.transaction(async (tx) => {
          const current = await tx.configs.lock(viewer, { id });
          if (current === null) throw notFound(WHAT);
          // The loaded provider must not receive tokens of another one.
          if (current.version !== found.version) return { version: current.version };
          const tokens = await tx.connections.remove(viewer, { configId: id });
          await tx.configs.delete(viewer, { id });
          await tx.chats.dropServer(viewer, { configId: id });
          await tx.audit.append(SYSTEM, {
            actor: viewer,
            action: 'mcpServerConfig.delete',
            target: toConfigTarget(found),
            changes: toDeletionChanges(found),
          });
          return { tokens };
        });
        if (outcome.tokens !== undefined) return endings.revokeLater(provider, outcome.tokens);
        if (attempt === MAX_ATTEMPTS) throw versionMismatch(outcome.version);
      }
    },
  };
}

async function writeUpdate(
  tx: Repositories,
  viewer: Viewer,
  { current, plan, reason }: { current: McpServerConfigRecord; plan: ConfigUpdatePlan; reason: string | undefined },
) {
  const { id } = current;
  const { discovery, draft } = plan;
  if (discovery.kind === 'save') {
    await tx.oauthDiscoveries.save(viewer, { configId: id, columns: discovery.columns });
  }
  if (discovery.kind === 'remove') await tx.oauthDiscoveries.remove(viewer, { configId: id });
  const columns = toChangedColumns(draft, current);
  if (Object.keys(columns).length === 0) return { config: current, tokens: [] };
  const updatedById = viewerUserId(viewer) ?? null;
  // Update before ending the connections: subscribers receive the changes in this order.
  const config = await tx.configs.update(viewer, { id, columns, updatedById });
  const tokens = plan.endsConnections ? await tx.connections.remove(viewer, { configId: id }) : [];
  if (plan.endsConnections) await tx.formerClients.remove(viewer, { configId: id });
  const reasons = [reason, tokens.length === 0 ? undefined : `${tokens.length} connections ended.`];
  await tx.audit.append(SYSTEM, {
    actor: viewer,
    action: 'mcpServerConfig.update',
    target: toConfigTarget(config),
    changes: toUpdateChanges(columns, current),
    reason: reasons.filter((each) => each !== undefined).join(' ') || undefined,
  });
  return { config, tokens };
}

async function withSlugConflict<Result>(slug: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    // A config references only the viewer's own row, so the viewer was deleted during the write.
    if (isForeignKeyViolation(error)) throw unauthenticated();
    if (describeUniqueViolation(error) === undefined) throw error;
    throw slugTaken(slug.trim());
  }
}
