import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { notFound, validationFailed, versionMismatch } from '../../errors.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { RESTORABLE_FIELDS } from './config-changes.ts';
import { type ConfigInput, SECRET_FIELDS, type SecretField } from './config-input.ts';
import type { ConfigService } from './config-service.ts';

const MAX_STEPS = OPERATION_LIMITS.restoredVersions.value;
const BATCH = 100;

/** The outcome of restoring a version. */
export interface RestoredConfig {
  config: McpServerConfigRecord;
  /** The secrets that changed since that version. They stay as they are. */
  unrestoredSecrets: SecretField[];
}

/** Creates the service. The history is the audit log: each change of a config is one version and one entry. */
export function createConfigRestore(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  configs: Pick<ConfigService, 'update'>;
}) {
  const { store, experiments, configs } = options;

  /** What the fields were before the last `steps` changes, and which secrets changed in them. */
  const readPast = async (viewer: Viewer, targetId: string, steps: number) => {
    const past = new Map<string, unknown>();
    const secrets = new Set<string>();
    let left = steps;
    for (let after: bigint | undefined; left > 0; ) {
      const filter = {
        action: 'mcpServerConfig.update',
        outcome: 'success',
        targetType: 'mcp_server_config',
        targetId,
      } as const;
      const { rows } = await store.audit.list(viewer, { first: Math.min(left, BATCH), after, filter });
      const last = rows.at(-1);
      if (last === undefined) throw versionFailed('The audit log does not go back to this version.');
      for (const change of rows.flatMap(({ changes }) => changes)) {
        if ('before' in change) past.set(change.field, change.before);
        else secrets.add(change.field);
      }
      left -= rows.length;
      after = last.seq;
    }
    return { past, secrets };
  };

  return {
    /**
     * Changes a config to what it was at an earlier version, under all rules of an update. Secrets stay as they are, and so
     * does `enabled`: a restored version switches nothing on.
     *
     * @throws as `ConfigService.update`; VALIDATION_FAILED at `version` when it is not an earlier one, or when the audit log
     *   does not go back to it
     */
    async restore(
      viewer: Viewer,
      args: { id: string; version: number; expectedVersion?: number | undefined },
    ): Promise<RestoredConfig> {
      assertCan(viewer, 'mcpServerConfig.update');
      assertExperiment(experiments, 'agents');
      const { id, version, expectedVersion } = args;
      const current = await store.configs.findById(viewer, { id });
      if (current === null) throw notFound('MCP server config');
      if (expectedVersion !== undefined && expectedVersion !== current.version) throw versionMismatch(current.version);
      const steps = current.version - version;
      if (version < 1 || steps < 1) throw versionFailed('Must be an earlier version than the present one, at least 1.');
      if (steps > MAX_STEPS) throw versionFailed(`Must be at most ${MAX_STEPS} versions before the present one.`);
      const { past, secrets } = await readPast(viewer, id, steps);
      const fields = RESTORABLE_FIELDS.filter((field) => past.has(field));
      const patch: ConfigInput = Object.fromEntries(fields.map((field) => [field, past.get(field)]));
      const config = await configs.update(viewer, {
        id,
        patch,
        // What was read belongs to this version.
        expectedVersion: current.version,
        reason: `Restored version ${version}.`,
      });
      return { config, unrestoredSecrets: SECRET_FIELDS.filter((field) => secrets.has(field)) };
    },
  };
}

function versionFailed(message: string) {
  return validationFailed([{ path: ['version'], code: 'OUT_OF_RANGE', message }]);
}
