import type { McpServerConfigRecord, ToolApproval } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { ImportedApprovals } from '../catalogue/imported-approvals.ts';
import type { ConfigLists } from '../configs/config-lists.ts';
import type { ConfigService } from '../configs/config-service.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import {
  diffServer,
  formatDiff,
  type ServerDiff,
  toImportError,
  toSkipped,
  withApprovals,
} from '../server-files/diff-servers.ts';
import { exportServers } from '../server-files/export-servers.ts';
import { fillSecrets, NOTHING_GIVEN, withStandIns } from '../server-files/fill-secrets.ts';
import { type GivenSecret, listUnusedAnswers, listUnusedSecrets, toGiven } from '../server-files/given-secrets.ts';
import { type ImportAnswer, type MatchedServer, matchServers } from '../server-files/match-servers.ts';
import { parseServerFile } from '../server-files/parse-server-file.ts';

/** The input of an import. */
export interface ImportArgs {
  /** The content of the file. */
  content: string;
  /** Only report what would be done. */
  dryRun: boolean;
  /** The values for the file's placeholders. */
  secrets: readonly GivenSecret[];
  /** The decisions about servers whose slug belongs to another one, by the slug in the file. */
  answers: ReadonlyMap<string, ImportAnswer>;
}

/** A server of the file and the result of its import. */
export interface ImportedServerResult extends ServerDiff {
  /** Whether it was created or updated. */
  isApplied: boolean;
  config: McpServerConfigRecord | null;
}

/** What an import did or would do. */
export interface ImportReport {
  /** Formatted for a terminal. */
  diff: string;
  /** Notes about the file as a whole, and about secrets and answers that it has no use for. */
  notes: string[];
  servers: ImportedServerResult[];
}

/** The number of servers whose settings are discovered concurrently. */
const CONCURRENCY = 4;
/** Configs read per batch. */
const PIECE = 500;

/** Creates the service. */
export function createServerTransfer(options: {
  store: Store;
  configs: ConfigService;
  configLists: ConfigLists;
  importedApprovals: ImportedApprovals;
  experiments: ReadonlySet<Experiment>;
}) {
  const { store, configs, configLists, importedApprovals, experiments } = options;

  /** All configs. Discovered settings are left out, because files neither contain nor change them. */
  const listComparable = async (viewer: Viewer): Promise<McpServerConfigRecord[]> => {
    const all: McpServerConfigRecord[] = [];
    for (let hasMore = true; hasMore; ) {
      const last = all.at(-1);
      const after = last === undefined ? undefined : { displayName: last.displayName, id: last.id };
      const page = await configLists.list(viewer, { first: PIECE, after });
      all.push(...page.rows);
      ({ hasMore } = page);
    }
    const discovered = await store.oauthDiscoveries.listScopes(viewer, undefined);
    return all.map((config) => {
      const scopes = discovered.get(config.id);
      return scopes === undefined ? config : withoutDiscovered(config, scopes);
    });
  };

  /** Adds what the approvals in the file would do. */
  const addApprovals = async (viewer: Viewer, matched: MatchedServer, diff: ServerDiff): Promise<ServerDiff> => {
    const { approvals = [] } = matched.server;
    if (approvals.length === 0 || diff.error !== null || diff.kind === 'question') return diff;
    try {
      const args = { configId: matched.current?.id, approvals };
      return withApprovals(diff, await importedApprovals.preview(viewer, args));
    } catch (error) {
      return { ...diff, error: toImportError(error) };
    }
  };

  /** Applies a change, or finds out whether it could be. */
  const importOne = async (
    viewer: Viewer,
    { matched, diff, given }: { matched: MatchedServer; diff: ServerDiff; given: typeof NOTHING_GIVEN },
    dryRun: boolean,
  ): Promise<ImportedServerResult> => {
    const done = { ...diff, isApplied: false, config: null };
    if (diff.error !== null || diff.kind === 'unchanged' || diff.kind === 'question') return done;
    const { server, current } = matched;
    try {
      if (dryRun || diff.secretsMissing.length > 0) {
        const standIns = withStandIns(given, diff.secretsMissing, server);
        const input = fillSecrets(server, standIns, current);
        await configs.check(viewer, current === undefined ? { input } : { id: current.id, patch: input });
        return done;
      }
      const input = fillSecrets(server, given, current);
      const config =
        current === undefined
          ? await configs.create(viewer, input)
          : await configs.update(viewer, { id: current.id, patch: input });
      const { approvals = [] } = server;
      if (approvals.length > 0) await importedApprovals.apply(viewer, { configId: config.id, approvals });
      return { ...done, isApplied: true, config };
    } catch (error) {
      return { ...done, error: toImportError(error) };
    }
  };

  return {
    /**
     * Compares a file with the existing configs and, unless it is a dry run, creates and updates what differs. A dry run
     * reports the same errors. Each server is imported separately, so that one failure does not affect the others. A
     * server with missing secrets is left out.
     *
     * @throws FORBIDDEN, VALIDATION_FAILED when the file cannot be read
     */
    async import(viewer: Viewer, { content, dryRun, secrets, answers }: ImportArgs): Promise<ImportReport> {
      assertCan(viewer, 'mcpServerConfig.import');
      assertExperiment(experiments, 'agents');
      const file = parseServerFile(content);
      const all = matchServers(file.servers, await listComparable(viewer), answers);
      const givenBySlug = toGiven(secrets);
      const planned = all.map((matched) => {
        const given = givenBySlug.get(matched.server.input.slug) ?? NOTHING_GIVEN;
        return { matched, given, diff: diffServer(matched, given) };
      });
      const results: ImportedServerResult[] = new Array(planned.length);
      let next = 0;
      const work = async (): Promise<void> => {
        for (let index = next++; index < planned.length; index = next++) {
          const plan = planned[index];
          if (plan === undefined) continue;
          const diff = await addApprovals(viewer, plan.matched, plan.diff);
          results[index] = await importOne(viewer, { ...plan, diff }, dryRun);
        }
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, work));
      const servers = [
        ...results,
        ...file.skipped.map((each) => ({ ...toSkipped(each), isApplied: false, config: null })),
      ];
      const matchedServers = all.map(({ server }) => server);
      const notes = [
        ...file.notes,
        ...listUnusedSecrets(matchedServers, secrets),
        ...listUnusedAnswers(file.servers, answers),
      ];
      return { diff: formatDiff(servers, notes), notes, servers };
    },

    /** Exports all servers as a file, with approvals of tools and placeholders for secrets. @throws FORBIDDEN */
    async export(viewer: Viewer): Promise<string> {
      assertCan(viewer, 'mcpServerConfig.export');
      assertExperiment(experiments, 'agents');
      const all = await listComparable(viewer);
      const approvals = new Map<string, ToolApproval[]>();
      for (let index = 0; index < all.length; index += PIECE) {
        const configIds = all.slice(index, index + PIECE).map(({ id }) => id);
        for (const { configId, ...approval } of await store.tools.listAllApprovals(viewer, { configIds })) {
          const known = approvals.get(configId);
          if (known === undefined) approvals.set(configId, [approval]);
          else known.push(approval);
        }
      }
      return exportServers(all, approvals);
    },
  };
}

/** A config without its discovered settings, which belong to this gateway only. */
function withoutDiscovered(config: McpServerConfigRecord, scopes: readonly string[]): McpServerConfigRecord {
  const isDiscovered = config.oauth2Scopes.join(' ') === scopes.join(' ');
  return {
    ...config,
    oauth2ClientId: '',
    oauth2AuthUrl: '',
    oauth2TokenUrl: '',
    oauth2RevocationUrl: '',
    oauth2Issuer: '',
    oauth2Scopes: isDiscovered ? [] : config.oauth2Scopes,
    hasOAuth2Secret: false,
  };
}
