import { Secret } from '../../crypto/secret.ts';
import type { McpAuthType, McpServerConfigRecord, McpTransport } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound, type ValidationIssue, validationFailed } from '../../errors.ts';
import type { ListedTools } from '../../mcp/list-tools.ts';
import type { ServerProbe } from '../../mcp/probe-server.ts';
import { UpstreamError } from '../../mcp/upstream-error.ts';
import type { UpstreamHeader } from '../../mcp/upstream-target.ts';
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
import { TEST_STEPS, type TestStep, toFailed, toOk, toSkipped } from './server-test-steps.ts';

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

  /** The config's own secret: the given one, or the stored one, which only goes to the origin that it is stored for. */
  const openSecret = async (draft: ConfigDraft, current: McpServerConfigRecord | null): Promise<UpstreamHeader[]> => {
    if (draft.authType === 'api_key') {
      const change = draft.apiKeyValue;
      if (change.kind === 'set') return [{ name: draft.apiKeyHeader, value: change.value }];
      const value =
        current === null ? null : await secrets.open(current.id, 'apiKeyValue', [draft.url], current.version);
      return value === null ? [] : [{ name: draft.apiKeyHeader, value }];
    }
    if (draft.authType === 'custom_headers') {
      const change = draft.customHeaders;
      if (change.kind === 'set') return change.value;
      const stored =
        current === null ? null : await secrets.open(current.id, 'customHeaders', [draft.url], current.version);
      const values = stored === null ? {} : (JSON.parse(stored.expose()) as Record<string, string>);
      return Object.entries(values).map(([name, value]) => ({ name, value: new Secret(value) }));
    }
    return [];
  };

  /** The admin's own connection. A string says why there is none. */
  const openOwn = async (viewer: Viewer, draft: ConfigDraft, current: McpServerConfigRecord | null) => {
    const userId = viewerUserId(viewer);
    if (draft.authType !== 'oauth2') return 'The server does not use OAuth 2.';
    if (current === null || current.authType !== 'oauth2')
      return 'The server is not stored with OAuth 2, so nobody is connected.';
    if (draft.url !== current.url) return 'The URL is not the stored one: your token is not sent there.';
    if (userId === undefined) return 'You are not a user.';
    const found = await serverHeaders.get({ userId, configId: current.id, configVersion: current.version });
    if (found.state === 'disabled') return 'The server is disabled: enable it, then connect.';
    if (found.state !== 'ready') return 'You are not connected: connect first.';
    if (found.url !== draft.url) return 'The URL is not the stored one: your token is not sent there.';
    return found.headers;
  };

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

interface Attempt {
  ms: number;
  protocolVersion: string | undefined;
  listed: ListedTools | undefined;
  listMs: number;
  error: UpstreamError | undefined;
}

async function attempt(
  probe: ServerProbe,
  server: { url: string; transport: McpTransport; headers: readonly UpstreamHeader[] },
): Promise<Attempt> {
  const startedAt = performance.now();
  const since = (from: number): number => Math.round(performance.now() - from);
  const result: Attempt = { ms: 0, protocolVersion: undefined, listed: undefined, listMs: 0, error: undefined };
  try {
    await probe.open(server, async ({ protocolVersion, listTools }) => {
      Object.assign(result, { ms: since(startedAt), protocolVersion });
      const listStartedAt = performance.now();
      try {
        result.listed = await listTools();
      } finally {
        result.listMs = since(listStartedAt);
      }
    });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    result.error = error;
    if (result.protocolVersion === undefined) result.ms = since(startedAt);
  }
  return result;
}

async function testNetwork(probe: ServerProbe, url: URL): Promise<TestStep[]> {
  const startedAt = performance.now();
  const since = (from: number): number => Math.round(performance.now() - from);
  let name: TestStep;
  try {
    const count = await probe.resolve(url);
    name = toOk('name', since(startedAt), count === 1 ? 'It has one address.' : `It has ${count} addresses.`);
  } catch (error) {
    return [toFailed('name', since(startedAt), error)];
  }
  const dialledAt = performance.now();
  try {
    const { tls, validTo } = await probe.dial(url);
    const ms = since(dialledAt);
    const until =
      validTo === undefined || Number.isNaN(validTo.getTime())
        ? ''
        : ` The certificate is valid until ${validTo.toISOString().slice(0, 10)}.`;
    return [
      name,
      toOk('address', ms, 'The gateway may call it, and reaches it.'),
      tls === undefined ? toSkipped('tls', 'The URL has no TLS.') : toOk('tls', ms, `${tls}.${until}`),
    ];
  } catch (error) {
    const ms = since(dialledAt);
    if (!(error instanceof UpstreamError) || error.problem !== 'TLS_FAILED')
      return [name, toFailed('address', ms, error)];
    return [name, toOk('address', ms, 'The gateway may call it, and reaches it.'), toFailed('tls', ms, error)];
  }
}

/** HTTP, the protocol (filled in later) and what a caller without credentials gets. */
function toServerSteps(attempt: Attempt, authType: McpAuthType): TestStep[] {
  const { error, ms } = attempt;
  const status = error?.facts.status;
  const isAnswer = error === undefined || status !== undefined || ANSWERED.has(error.problem);
  if (!isAnswer) return [toFailed('http', ms, error)];
  const http = toOk(
    'http',
    ms,
    status === undefined ? 'The server answers.' : `The server answers with HTTP status ${status}.`,
  );
  return [http, toSkipped('protocol', ''), toNobodyStep(attempt, authType)];
}

/** Failures of an answer, not of its absence. */
const ANSWERED: ReadonlySet<string> = new Set([
  'REFUSED',
  'PROTOCOL_ERROR',
  'PROTOCOL_REVISION',
  'NOT_MCP',
  'TOO_LARGE',
  'TOO_DEEP',
  'ENCODED',
  'REDIRECTED',
]);

/** Whether the server did what was asked, or failed at it for another reason than the credentials. */
function isAccepted({ error, protocolVersion }: Attempt): boolean {
  return error === undefined || (protocolVersion !== undefined && !REFUSALS.has(error.problem));
}

const REFUSALS: ReadonlySet<string> = new Set(['UNAUTHORIZED', 'FORBIDDEN', 'INSUFFICIENT_SCOPE']);

function toNobodyStep(attempt: Attempt, authType: McpAuthType): TestStep {
  const { error, ms } = attempt;
  const name = 'authorization_nobody';
  if (error === undefined || isAccepted(attempt)) {
    const advice =
      authType === 'none' ? null : 'Everyone who reaches the server can use it: the credentials are not needed.';
    return toOk(name, ms, 'The server accepts callers without credentials.', advice);
  }
  if (!REFUSALS.has(error.problem)) {
    return toSkipped(name, 'The server did not get so far.');
  }
  if (authType === 'none') return toFailed(name, ms, error);
  return toOk(name, ms, 'The server asks for credentials, as it should.');
}

function toAuthorization(name: TestStep['name'], attempt: Attempt): TestStep {
  const { error, ms } = attempt;
  return isAccepted(attempt) ? toOk(name, ms, 'The server accepts the credentials.') : toFailed(name, ms, error);
}

function toProtocolFailure({ error, ms }: Attempt): TestStep {
  const isRefused = error?.problem === 'UNAUTHORIZED' || error?.problem === 'FORBIDDEN';
  if (isRefused) return toSkipped('protocol', 'The server tells it only with credentials that it accepts.');
  return toFailed('protocol', ms, error ?? new UpstreamError('PROTOCOL_ERROR'));
}

function toToolsStep({ listed, listMs, error, protocolVersion }: Attempt): TestStep {
  if (listed === undefined) {
    if (protocolVersion === undefined || error === undefined)
      return toSkipped('tools', 'There is no connection to list them on.');
    return toFailed('tools', listMs, error);
  }
  const { tools, skipped, isCut } = listed;
  const left = skipped.length === 0 ? '' : ` ${skipped.length} are left out, because their definitions cannot be used.`;
  const cut = isCut ? ' The server has more than the gateway lists.' : '';
  return toOk('tools', listMs, `${tools.length === 1 ? 'One tool' : `${tools.length} tools`}.${left}${cut}`);
}

function toUntried(from: number): TestStep[] {
  return TEST_STEPS.slice(from).map((name) => toSkipped(name, 'An earlier step failed.'));
}

/** Problems are in the settings of the input. */
function toSettingsError(error: unknown): never {
  if (!(error instanceof DomainError) || error.code !== 'VALIDATION_FAILED') throw error;
  const issues = error.details['issues'] as readonly ValidationIssue[];
  throw validationFailed(issues.map((issue) => ({ ...issue, path: ['settings', ...issue.path] })));
}
