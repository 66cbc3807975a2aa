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

/** What is to be imported. */
export interface ImportArgs {
  /** The file. */
  content: string;
  /** Only tell what would be done. */
  dryRun: boolean;
  /** What the file's placeholders stand for. */
  secrets: readonly { slug: string; placeholder: string; value: Secret }[];
}

/** One server of the file, and what became of it. */
export interface ImportedServerResult extends ServerDiff {
  /** Whether it was created or changed. */
  isApplied: boolean;
  /** Why it was not, although it should have been. */
  error: { code: ErrorCode; message: string } | null;
  config: McpServerConfigRecord | null;
}

/** What an import did, or would do. */
export interface ImportReport {
  /** For a terminal. */
  diff: string;
  servers: ImportedServerResult[];
}

/** Servers whose settings are discovered at once. */
const CONCURRENCY = 4;
/** Configs that are read at once. */
const PIECE = 500;

/** Takes definitions of servers in and out, as files. */
export type ServerTransfer = ReturnType<typeof createServerTransfer>;

/** Makes it. */
export function createServerTransfer(options: {
  store: Store;
  configs: ConfigService;
  experiments: ReadonlySet<Experiment>;
}) {
  const { store, configs, experiments } = options;

  /** All configs, those with discovered settings without them: a file does not have these, and does not change them. */
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
     * Compares a file with what there is, and unless it is a dry run creates and changes what differs: each server by
     * itself, so that one which cannot be had is in nobody's way. A server whose secrets are not all given is left out.
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

    /** All servers as a file, secrets as placeholders. @throws FORBIDDEN */
    async export(viewer: Viewer): Promise<string> {
      assertCan(viewer, 'mcpServerConfig.export');
      assertExperiment(experiments, 'agents');
      return exportServers(await listComparable(viewer));
    },
  };
}

/** A config as its admin defined it: what discovery found belongs to this gateway. */
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
