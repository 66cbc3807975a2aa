import { describeUniqueViolation, isForeignKeyViolation } from '../../data/database-error.ts';
import type { McpServerConfigRecord, Page } from '../../data/records.ts';
import type { ConfigCursor, ConfigFilter } from '../../data/repositories/config-repository.ts';
import type { Store } from '../../data/store.ts';
import { conflict, notFound, unauthenticated, versionMismatch } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { Issues } from '../validation/issues.ts';
import { isStorable } from '../validation/text.ts';
import type { IsAllowedPrivateHost } from '../validation/url.ts';
import { endsConnections, toChangedColumns, toColumns } from './config-changes.ts';
import { toDraft } from './config-draft.ts';
import type { ConfigInput } from './config-input.ts';
import { checkDraft } from './config-rules.ts';

/** What the service works with. */
export interface ConfigServiceOptions {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  isAllowedPrivateHost: IsAllowedPrivateHost;
}

/** Which page of which configs. */
export interface ListConfigsArgs {
  /** At most this many, 1 or more. */
  first: number;
  after?: ConfigCursor | undefined;
  filter?: ConfigFilter | undefined;
}

const WHAT = 'MCP server config';

/** What can be done with the definitions of MCP servers. */
export type ConfigService = ReturnType<typeof createConfigService>;

/** Makes the service: policy, feature switch and rules around the store. */
export function createConfigService({ store, experiments, isAllowedPrivateHost }: ConfigServiceOptions) {
  return {
    /** The configs that the viewer may see, by display name. */
    async list(viewer: Viewer, args: ListConfigsArgs): Promise<Page<McpServerConfigRecord>> {
      assertCan(viewer, 'mcpServerConfig.list');
      assertExperiment(experiments, 'agents');
      if (isUnfindable(args.filter?.search)) return { rows: [], hasMore: false };
      return store.configs.list(viewer, args);
    },

    async count(viewer: Viewer, filter?: ConfigFilter): Promise<number> {
      assertCan(viewer, 'mcpServerConfig.list');
      assertExperiment(experiments, 'agents');
      return isUnfindable(filter?.search) ? 0 : store.configs.count(viewer, { filter });
    },

    /** A config by id or slug; null when it is missing or hidden from the viewer, which look alike. */
    async find(viewer: Viewer, by: { id: string } | { slug: string }): Promise<McpServerConfigRecord | null> {
      assertCan(viewer, 'mcpServerConfig.read');
      assertExperiment(experiments, 'agents');
      if ('id' in by) return store.configs.findById(viewer, by);
      return isUnfindable(by.slug) ? null : store.configs.findBySlug(viewer, by);
    },

    /** @throws FORBIDDEN, VALIDATION_FAILED with all problems, CONFLICT when the slug is taken */
    async create(viewer: Viewer, input: ConfigInput): Promise<McpServerConfigRecord> {
      assertCan(viewer, 'mcpServerConfig.create');
      assertExperiment(experiments, 'agents');
      const issues = new Issues();
      const draft = toDraft(issues, input);
      checkDraft(issues, { draft, input }, isAllowedPrivateHost);
      issues.throwIfAny();
      return withSlugConflict(draft.slug, () =>
        store.configs.create(viewer, { columns: toColumns(draft), createdById: viewerUserId(viewer) ?? null }),
      );
    },

    /**
     * Changes what the patch gives. The rules hold for the merged result.
     *
     * @throws FORBIDDEN, NOT_FOUND, VERSION_MISMATCH, VALIDATION_FAILED with all problems, CONFLICT when the slug is taken
     */
    async update(
      viewer: Viewer,
      args: { id: string; patch: ConfigInput; expectedVersion?: number | undefined },
    ): Promise<McpServerConfigRecord> {
      assertCan(viewer, 'mcpServerConfig.update');
      assertExperiment(experiments, 'agents');
      const { id, patch, expectedVersion } = args;
      return withSlugConflict(patch.slug ?? '', () =>
        store.transaction(async (tx) => {
          const current = await tx.configs.lock(viewer, { id });
          if (current === null) throw notFound(WHAT);
          if (expectedVersion !== undefined && expectedVersion !== current.version) {
            throw versionMismatch(current.version);
          }
          const issues = new Issues();
          const draft = toDraft(issues, patch, current);
          checkDraft(issues, { draft, input: patch, current }, isAllowedPrivateHost);
          issues.throwIfAny();
          const columns = toChangedColumns(draft, current);
          if (Object.keys(columns).length === 0) return current;
          if (endsConnections(draft, current)) await tx.connections.remove(viewer, { configId: id });
          return tx.configs.update(viewer, { id, columns, updatedById: viewerUserId(viewer) ?? null });
        }),
      );
    },

    /** Deletes a config with all users' tokens. @throws FORBIDDEN, NOT_FOUND */
    async delete(viewer: Viewer, id: string): Promise<void> {
      assertCan(viewer, 'mcpServerConfig.delete');
      assertExperiment(experiments, 'agents');
      if (!(await store.configs.delete(viewer, { id }))) throw notFound(WHAT);
    },
  };
}

/** PostgreSQL fails when it is asked for text that it cannot store; no config has any. */
function isUnfindable(text: string | undefined): boolean {
  return text !== undefined && !isStorable(text);
}

async function withSlugConflict<Result>(slug: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    // The viewer's own row is the only one that a config names: he was deleted while he wrote.
    if (isForeignKeyViolation(error)) throw unauthenticated();
    if (describeUniqueViolation(error) === undefined) throw error;
    throw conflict('slug', `The slug "${slug.trim()}" is taken by another config; choose another one.`);
  }
}
