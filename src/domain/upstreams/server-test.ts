import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound, type ValidationIssue, validationFailed } from '../../errors.ts';
import type { ServerProbe } from '../../mcp/probe-server.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import type { ConfigDraft } from '../configs/config-draft.ts';
import type { ConfigInput } from '../configs/config-input.ts';
import type { ConfigPlans } from '../configs/config-plans.ts';
import type { ServerHeaders } from '../connections/server-headers.ts';
import type { ServerSecrets } from '../connections/server-secrets.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { createFairSemaphore } from '../shares/fair-semaphore.ts';
import type { UserRates } from '../shares/user-rates.ts';
import { attempt, testNetwork } from './server-test-attempts.ts';
import { createTestCredentials } from './server-test-credentials.ts';
import { toAuthorization, toProtocolFailure, toServerSteps, toToolsStep, toUntried } from './server-test-findings.ts';
import { type TestStep, toOk, toSkipped } from './server-test-steps.ts';

/** What to test: a stored config, settings that are not stored, or a stored config with changes. */
export interface ServerTestArgs {
  id?: string | undefined;
  settings?:
    | Pick<ConfigInput, 'url' | 'transport' | 'authType' | 'apiKeyHeader' | 'apiKeyValue' | 'customHeaders'>
    | undefined;
}

/** The result of a test. */
export interface ServerTest {
  /** In order; every step is there. */
  steps: TestStep[];
  /** Whether no step failed. */
  isOk: boolean;
}

/** Tests at once in this process. Each may take some ten seconds, and no processor time. */
const MAX_RUNNING = 4;

/** Tests servers for admins. */
export type ServerTests = ReturnType<typeof createServerTests>;

/** Creates the service. It stores nothing but an audit entry. */
export function createServerTests(options: {
  store: Store;
  plans: Pick<ConfigPlans, 'planTest'>;
  experiments: ReadonlySet<Experiment>;
  secrets: Pick<ServerSecrets, 'open'>;
  serverHeaders: ServerHeaders;
  probe: ServerProbe;
  userRates: Pick<UserRates, 'admitServerCheck'>;
}) {
  const { store, plans, experiments, secrets, serverHeaders, probe, userRates } = options;
  const places = createFairSemaphore(MAX_RUNNING);

  const { openSecret, openOwn } = createTestCredentials({ secrets, serverHeaders });

  const run = async (
    viewer: Viewer,
    draft: ConfigDraft,
    current: McpServerConfigRecord | null,
  ): Promise<TestStep[]> => {
    const url = new URL(draft.url);
    const network = await testNetwork(probe, url);
    if (network.some(({ outcome }) => outcome === 'failed')) return [...network, ...toUntried(network.length)];
    const server = { url: draft.url, transport: draft.transport };
    const nobody = await attempt(probe, { ...server, headers: [] });
    const steps = [...network, ...toServerSteps(nobody, draft.authType)];
    if (steps.some(({ name, outcome }) => name === 'http' && outcome === 'failed')) {
      return [...steps.slice(0, 4), ...toUntried(4)];
    }
    const secret = await openSecret(draft, current);
    const asSecret = secret.length === 0 ? undefined : await attempt(probe, { ...server, headers: secret });
    const own = await openOwn(viewer, draft, current);
    const asOwn = typeof own === 'string' ? undefined : await attempt(probe, { ...server, headers: own });
    const best = asOwn ?? asSecret ?? nobody;
    const protocol = [asOwn, asSecret, nobody].find((each) => each?.protocolVersion !== undefined);
    return [
      ...steps.slice(0, 4),
      protocol === undefined
        ? toProtocolFailure(best)
        : toOk('protocol', protocol.ms, `Revision ${protocol.protocolVersion}.`),
      ...steps.slice(5),
      asSecret === undefined
        ? toSkipped('authorization_secret', 'There is no secret for all users.')
        : toAuthorization('authorization_secret', asSecret),
      asOwn === undefined ? toSkipped('authorization_own', String(own)) : toAuthorization('authorization_own', asOwn),
      toToolsStep(best),
    ];
  };

  return {
    /**
     * Tests a server step by step. The stored secrets go to the stored origin only.
     *
     * @throws FORBIDDEN, NOT_FOUND, RATE_LIMITED, VALIDATION_FAILED with all problems, DECRYPTION_FAILED
     */
    async test(viewer: Viewer, { id, settings = {} }: ServerTestArgs): Promise<ServerTest> {
      assertCan(viewer, 'mcpServerConfig.test');
      assertExperiment(experiments, 'agents');
      const current = id === undefined ? null : await store.configs.findById(viewer, { id });
      if (id !== undefined && current === null) throw notFound('MCP server config');
      const draft = await plans.planTest({ current, input: settings }).catch(toSettingsError);
      await userRates.admitServerCheck(viewer);
      const leave = await places.acquire(viewerUserId(viewer) ?? '');
      try {
        await store.transaction((tx) =>
          tx.audit.append(SYSTEM, {
            actor: viewer,
            action: 'mcpServerConfig.test',
            ...(current !== null && { target: toConfigTarget(current) }),
            reason: `Called ${new URL(draft.url).origin}.`,
          }),
        );
        const steps = await run(viewer, draft, current);
        return { steps, isOk: steps.every(({ outcome }) => outcome !== 'failed') };
      } finally {
        leave();
      }
    },
  };
}

/** Problems are in the settings of the input. */
function toSettingsError(error: unknown): never {
  if (!(error instanceof DomainError) || error.code !== 'VALIDATION_FAILED') throw error;
  const issues = error.details['issues'] as readonly ValidationIssue[];
  throw validationFailed(issues.map((issue) => ({ ...issue, path: ['settings', ...issue.path] })));
}
