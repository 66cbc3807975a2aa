import type { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, type ErrorCode } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { ConfigService } from '../configs/config-service.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { diffServers, formatDiff, type ServerDiff } from '../server-files/diff-servers.ts';
import { exportServers } from '../server-files/export-servers.ts';
import { fillSecrets, type GivenSecrets, NOTHING_GIVEN } from '../server-files/fill-secrets.ts';
import type { ImportedServer } from '../server-files/imported-server.ts';
import { parseServerFile } from '../server-files/parse-server-file.ts';

/** The input of an import. */
export interface ImportArgs {
  /** The content of the file. */
  content: string;
  /** Only report what would be done. */
  dryRun: boolean;
  /** The values for the file's placeholders. */
  secrets: readonly { slug: string; placeholder: string; value: Secret }[];
}

/** A server of the file and the result of its import. */
export interface ImportedServerResult extends ServerDiff {
  /** Whether it was created or updated. */
  isApplied: boolean;
  /** Why it was not applied although it should have been. */
  error: { code: ErrorCode; message: string } | null;
  config: McpServerConfigRecord | null;
}

/** What an import did or would do. */
export interface ImportReport {
  /** Formatted for a terminal. */
  diff: string;
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
  experiments: ReadonlySet<Experiment>;
}) {
  const { store, configs, experiments } = options;

  /** All configs. Discovered settings are left out, because files neither contain nor change them. */
  const listComparable = async (viewer: Viewer): Promise<McpServerConfigRecord[]> => {
    const all: McpServerConfigRecord[] = [];
    for (let hasMore = true; hasMore; ) {
      const last = all.at(-1);
      const after = last === undefined ? undefined : { displayName: last.displayName, id: last.id };
      const page = await configs.list(viewer, { first: PIECE, after });
      all.push(...page.rows);
      ({ hasMore } = page);
    }
    const discovered = await store.oauthDiscoveries.listScopes(viewer, undefined);
    return all.map((config) => {
      const scopes = discovered.get(config.id);
      return scopes === undefined ? config : withoutDiscovered(config, scopes);
    });
  };

  const applyOne = async (
    viewer: Viewer,
    server: ImportedServer,
    diff: ServerDiff,
    current: McpServerConfigRecord | undefined,
    given: GivenSecrets,
  ): Promise<ImportedServerResult> => {
    const done = { ...diff, isApplied: false, error: null, config: null };
    if (diff.kind === 'unchanged' || diff.secretsMissing.length > 0) return done;
    try {
      const config =
        current === undefined
          ? await configs.create(viewer, fillSecrets(server, given))
          : await configs.update(viewer, { id: current.id, patch: fillSecrets(server, given, current) });
      return { ...done, isApplied: true, config };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { ...done, error: { code: error.code, message: error.message } };
    }
  };

  return {
    /**
     * Compares a file with the existing configs and, unless it is a dry run, creates and updates what differs. Each
     * server is imported separately, so that one failure does not affect the others. A server with missing secrets is
     * skipped.
     *
     * @throws FORBIDDEN, VALIDATION_FAILED when the file cannot be read
     */
    async import(viewer: Viewer, { content, dryRun, secrets }: ImportArgs): Promise<ImportReport> {
      assertCan(viewer, 'mcpServerConfig.import');
      assertExperiment(experiments, 'agents');
      const file = parseServerFile(content);
      const existing = await listComparable(viewer);
      const given = toGiven(secrets);
      const diffs = diffServers(file, existing, given);
      const diff = formatDiff(diffs);
      const results: ImportedServerResult[] = diffs.map((each) => ({
        ...each,
        isApplied: false,
        error: null,
        config: null,
      }));
      if (dryRun) return { diff, servers: results };
      const bySlug = new Map(existing.map((config) => [config.slug, config]));
      let next = 0;
      const work = async (): Promise<void> => {
        for (let index = next++; index < file.servers.length; index = next++) {
          const [server, planned] = [file.servers[index], diffs[index]];
          if (server === undefined || planned === undefined) return;
          const { slug } = server.input;
          results[index] = await applyOne(viewer, server, planned, bySlug.get(slug), given.get(slug) ?? NOTHING_GIVEN);
        }
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, work));
      return { diff, servers: results };
    },

    /** Exports all servers as a file, with placeholders for secrets. @throws FORBIDDEN */
    async export(viewer: Viewer): Promise<string> {
      assertCan(viewer, 'mcpServerConfig.export');
      assertExperiment(experiments, 'agents');
      return exportServers(await listComparable(viewer));
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

function toGiven(secrets: ImportArgs['secrets']): Map<string, Map<string, Secret>> {
  const given = new Map<string, Map<string, Secret>>();
  for (const { slug, placeholder, value } of secrets) {
    const known = given.get(slug);
    if (known === undefined) given.set(slug, new Map([[placeholder, value]]));
    else known.set(placeholder, value);
  }
  return given;
}
