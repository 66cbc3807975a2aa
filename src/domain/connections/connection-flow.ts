import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { calculatePKCECodeChallenge, generateRandomCodeVerifier } from 'oauth4webapi';
import { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import { toConnectionUrls } from '../../data/repositories/config-secrets.ts';
import type { OAuthFlowRecord } from '../../data/repositories/oauth-flow-repository.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound, unauthenticated } from '../../errors.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import { changesAuthorization } from '../configs/config-changes.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { readAuthorizationAnswer } from '../oauth/authorization-answer.ts';
import { toAuthorizationUrl } from '../oauth/authorization-url.ts';
import { isSameIssuer } from '../oauth/discovery/issuer-identifier.ts';
import type { OAuthProvider } from '../oauth/oauth-provider.ts';
import type { OAuthUrls } from '../oauth/redirect-urls.ts';
import type { TokenEndpoints, TokenSet } from '../oauth/token-endpoint.ts';
import { TokenEndpointError } from '../oauth/token-endpoint-error.ts';
import type { UserRates } from '../shares/user-rates.ts';
import { flowRefused } from './flow-refused.ts';
import type { OAuthClients } from './oauth-clients.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { findScopeMemory, toNextRequest } from './scope-step-up.ts';
import type { ServerMoves } from './server-moves.ts';
import { toExpiry } from './token-refresh.ts';
import { type TokenRevocation, toRevocable } from './token-revocation.ts';

/** How long a user may take at the authorization server. */
export const FLOW_TTL_MS = CREDENTIAL_LIMITS.flowAge.value;
/** The maximum number of flows a user can have open at once. The oldest is dropped. */
const MAX_OPEN_FLOWS = CREDENTIAL_LIMITS.openFlows.value;

/** How often the settings of a server are read that change meanwhile. */
const MAX_ATTEMPTS = 3;

/** Where to send the browser, and what it must return. */
export interface StartedFlow {
  authorizationUrl: string;
  /** For a cookie of this browser. */
  browserToken: Secret;
  /** Identifies the flow in the cookie's name without revealing `state`. */
  flowName: string;
  /** Where the response arrives. The cookie is limited to this path. */
  callbackPath: string;
  expiresAt: Date;
}

/** Connects users to servers with OAuth 2. */
export type ConnectionFlow = ReturnType<typeof createConnectionFlow>;

/** Creates the flow service. */
export function createConnectionFlow(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  providers: ProviderSettings;
  clients: OAuthClients;
  moves: ServerMoves;
  endpoints: Pick<TokenEndpoints, 'exchangeCode'>;
  revocation: Pick<TokenRevocation, 'revokeLater'>;
  urls: Pick<OAuthUrls, 'redirectUri' | 'callbackPath'>;
  userRates: Pick<UserRates, 'admitServerCheck'>;
  now: () => Date;
}) {
  const { store, experiments, providers, clients, moves, endpoints, revocation, urls, userRates, now } = options;

  const findConnectable = async (viewer: Viewer, configId: string): Promise<McpServerConfigRecord> => {
    const config = await store.configs.findById(viewer, { id: configId });
    if (config === null) throw notFound('MCP server config');
    if (!config.enabled) throw flowRefused('SERVER_DISABLED', 'This server is disabled.');
    if (config.authType !== 'oauth2')
      throw flowRefused('NOT_OAUTH2', 'This server does not need a personal connection.');
    return config;
  };

  /** The server and its settings, read again when they change while they are read. */
  const loadSettings = async (viewer: Viewer, first: McpServerConfigRecord) => {
    let connectable = first;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const config = await clients.ensureUsable(await moves.follow(connectable));
        return { config, provider: await loadProvider(providers, config) };
      } catch (error) {
        if (!(error instanceof DomainError && error.code === 'VERSION_MISMATCH')) throw error;
        if (attempt === MAX_ATTEMPTS) throw flowRefused('SETTINGS_CHANGED', SETTINGS_CHANGED);
        connectable = await findConnectable(viewer, first.id);
      }
    }
  };

  return {
    /** The server that a flow would connect. Starts nothing. @throws NOT_FOUND, VALIDATION_FAILED as `start` does */
    async findServer(viewer: Viewer, configId: string): Promise<{ displayName: string }> {
      assertMayConnect(viewer, experiments);
      return findConnectable(viewer, configId);
    },

    /**
     * Starts a flow: stores what the response must match, and returns the URL for the browser.
     *
     * @throws NOT_FOUND, RATE_LIMITED, VALIDATION_FAILED when there is nothing to connect to, UPSTREAM_FAILED when the gateway's
     *   client had to be registered again and could not be
     */
    async start(viewer: Viewer, configId: string): Promise<StartedFlow> {
      const userId = assertMayConnect(viewer, experiments);
      const connectable = await findConnectable(viewer, configId);
      await userRates.admitServerCheck(viewer);
      const { config, provider } = await loadSettings(viewer, connectable);
      const { scopes } = toNextRequest(provider.scopes, await findScopeMemory(store, { configId, userId }));
      const state = toToken();
      const browserToken = toToken();
      const codeVerifier = new Secret(generateRandomCodeVerifier());
      const createdAt = now();
      const expiresAt = new Date(createdAt.getTime() + FLOW_TTL_MS);
      const flow = {
        configId,
        userId,
        stateHash: toHash(state.expose()),
        browserHash: toHash(browserToken.expose()),
        issuer: provider.issuer,
        isIssRequired: provider.isIssRequired,
        tokenUrl: provider.tokenUrl,
        clientId: provider.client.clientId,
        codeVerifier,
        scopes,
        createdAt,
        expiresAt,
      };
      await store.transaction((tx) => tx.oauthFlows.create(viewer, { flow, maxOpen: MAX_OPEN_FLOWS }));
      const authorizationUrl = toAuthorizationUrl(provider, {
        redirectUri: urls.redirectUri(config),
        state: state.expose(),
        codeChallenge: await calculatePKCECodeChallenge(codeVerifier.expose()),
        scopes,
      });
      const flowName = toFlowName(state.expose());
      return { authorizationUrl, browserToken, flowName, callbackPath: urls.callbackPath(config), expiresAt };
    },

    /**
     * Finishes a flow, successfully or not. The flow that `state` identifies is taken first, so that no response is
     * used twice. The provider's response counts only after state, user, server, browser and issuer have been checked.
     *
     * @param configId the config whose own callback received the response; undefined for the shared callback
     * @param answer the query of the redirect, as received
     * @param browserToken the value of the flow's cookie
     * @returns the id of the connected config
     * @throws UNAUTHENTICATED, NOT_FOUND, VALIDATION_FAILED, UPSTREAM_FAILED when the code could not be exchanged
     */
    async finish(
      viewer: Viewer,
      args: { configId: string | undefined; answer: URLSearchParams; browserToken: string | undefined },
    ): Promise<string> {
      const { configId, answer, browserToken } = args;
      const state = answer.get('state') ?? '';
      const flow = state === '' ? null : await store.oauthFlows.take(SYSTEM, { stateHash: toHash(state) });
      try {
        return await finishTaken(viewer, { configId, answer, browserToken, flow });
      } finally {
        if (flow !== null) await store.oauthFlows.remove(SYSTEM, { id: flow.id });
      }
    },
  };

  async function finishTaken(
    viewer: Viewer,
    args: {
      configId: string | undefined;
      answer: URLSearchParams;
      browserToken: string | undefined;
      flow: OAuthFlowRecord | null;
    },
  ): Promise<string> {
    const { answer, browserToken, flow } = args;
    const userId = assertMayConnect(viewer, experiments);
    const configId = args.configId ?? flow?.configId;
    if (configId === undefined) throw flowRefused('STATE_INVALID', UNKNOWN_STATE);
    const config = await findConnectable(viewer, configId);
    assertOwnFlow(flow, { configId, userId, browserToken, now: now() });
    // A response at another callback than the one that was asked for may come from another authorization server.
    if ((args.configId === undefined) !== (config.oauth2CallbackMode === 'shared')) {
      throw flowRefused('STATE_INVALID', 'This sign-in was started with another callback URL; connect again.');
    }
    const code = await readAnswer(viewer, config, answer, flow);
    const provider = await loadProvider(providers, config);
    // An admin may have changed the settings during the sign-in.
    if (!isSameServer(provider, flow)) throw flowRefused('SETTINGS_CHANGED', SETTINGS_CHANGED);
    const obtained = await exchange(viewer, config, provider, { code, redirectUri: urls.redirectUri(config), flow });
    let isStored = false;
    try {
      isStored = await save(viewer, config, { flow, obtained, clientId: provider.client.clientId });
    } finally {
      // These tokens are not stored anywhere, so nothing else would revoke them.
      if (!isStored) revocation.revokeLater(provider, [toRevocable(obtained, provider.client.clientId)]);
    }
    if (!isStored) throw flowRefused('SETTINGS_CHANGED', SETTINGS_CHANGED);
    return configId;
  }

  /** Records a failed connection. The caller throws the error. */
  async function recordFailure(viewer: Viewer, config: McpServerConfigRecord, reason: string): Promise<void> {
    const target = toConfigTarget(config);
    await store.transaction((tx) =>
      tx.audit.append(SYSTEM, {
        actor: viewer,
        action: 'mcpServerConnection.connect',
        outcome: 'failed',
        target,
        reason,
      }),
    );
  }

  async function readAnswer(
    viewer: Viewer,
    config: McpServerConfigRecord,
    answer: URLSearchParams,
    flow: OAuthFlowRecord,
  ): Promise<string> {
    try {
      return readAuthorizationAnswer(answer, flow);
    } catch (error) {
      if (error instanceof DomainError) await recordFailure(viewer, config, error.message);
      throw error;
    }
  }

  async function exchange(
    viewer: Viewer,
    config: McpServerConfigRecord,
    provider: OAuthProvider,
    { code, redirectUri, flow }: { code: string; redirectUri: string; flow: OAuthFlowRecord },
  ): Promise<TokenSet> {
    const codeVerifier = flow.codeVerifier.openFor(provider.tokenUrl);
    try {
      return await endpoints.exchangeCode(provider, { code, redirectUri, codeVerifier });
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error;
      if (error.failure === 'invalid_client') await clients.suspect(provider);
      const message = `The authorization server did not issue a token: ${error.message} Connect again.`;
      await recordFailure(viewer, config, message);
      throw new DomainError('UPSTREAM_FAILED', message, { step: 'token', failure: error.failure });
    }
  }

  /** @returns false when the config or the user changed during the sign-in */
  async function save(
    viewer: Viewer,
    config: McpServerConfigRecord,
    { flow, obtained, clientId }: { flow: OAuthFlowRecord; obtained: TokenSet; clientId: string },
  ): Promise<boolean> {
    const { configId, userId, scopes } = flow;
    return store.transaction(async (tx) => {
      const current = await tx.configs.holdForConnection(SYSTEM, { id: configId, userId });
      if (current === null || !current.enabled || changesAuthorization(current, config)) return false;
      if (!(await tx.oauthFlows.remove(SYSTEM, { id: flow.id }))) return false;
      const before = await findScopeMemory(tx, { configId, userId });
      const obtainedAt = now();
      await tx.userTokens.replace(SYSTEM, {
        configId,
        userId,
        clientId,
        requestedScopes: scopes,
        // Scopes that the server asked for during the sign-in.
        wantedScopes: before?.wantedScopes.filter((each) => !scopes.includes(each)) ?? [],
        stepUpRounds: toNextRequest([], before).stepUpRounds,
        tokens: {
          accessToken: obtained.accessToken,
          refreshToken: obtained.refreshToken,
          scopes: obtained.scopes ?? scopes,
          obtainedAt,
          expiresAt: toExpiry(obtainedAt, obtained.expiresInSeconds),
          urls: toConnectionUrls(config),
        },
      });
      await tx.audit.append(SYSTEM, {
        actor: viewer,
        action: 'mcpServerConnection.connect',
        target: toConfigTarget(config),
      });
      return true;
    });
  }
}

const UNKNOWN_STATE = 'This sign-in was not started here, or was already used.';
const SETTINGS_CHANGED = 'The settings of this server changed during the sign-in; connect again.';

/** Derives a flow's part of the cookie name from `state`, which cannot be recovered from it. */
export function toFlowName(state: string): string {
  return toHash(`name ${state}`).slice(0, 16);
}

function assertMayConnect(viewer: Viewer, experiments: ReadonlySet<Experiment>): string {
  assertCan(viewer, 'mcpServerConnection.connect');
  assertExperiment(experiments, 'agents');
  const userId = viewerUserId(viewer);
  if (userId === undefined) throw unauthenticated();
  return userId;
}

async function loadProvider(providers: ProviderSettings, config: McpServerConfigRecord): Promise<OAuthProvider> {
  const provider = await providers.load(config);
  if (provider === null) throw flowRefused('NOT_CONFIGURED', 'An admin must complete the settings of this server.');
  return provider;
}

/** Whether the code would be sent to the server that issued it, by the client it was issued to. */
function isSameServer({ issuer, tokenUrl, client }: OAuthProvider, flow: OAuthFlowRecord): boolean {
  return isSameIssuer(issuer, flow.issuer) && tokenUrl === flow.tokenUrl && client.clientId === flow.clientId;
}

/** A mismatch means that the response belongs to another flow or is old. */
function assertOwnFlow(
  flow: OAuthFlowRecord | null,
  given: { configId: string; userId: string; browserToken: string | undefined; now: Date },
): asserts flow is OAuthFlowRecord {
  if (flow === null) throw flowRefused('STATE_INVALID', UNKNOWN_STATE);
  if (flow.configId !== given.configId)
    throw flowRefused('STATE_INVALID', 'This sign-in was started for another server.');
  if (flow.userId !== given.userId) throw flowRefused('STATE_INVALID', 'This sign-in was started by another user.');
  if (!isSameHash(flow.browserHash, toHash(given.browserToken ?? ''))) {
    throw flowRefused('STATE_INVALID', 'This sign-in was started in another browser, or its cookie was deleted.');
  }
  if (flow.expiresAt <= given.now) throw flowRefused('STATE_EXPIRED', 'This sign-in took too long; start again.');
}

/** 256 random bits. */
function toToken(): Secret {
  return new Secret(randomBytes(32).toString('base64url'));
}

function toHash(token: string): string {
  return hash('sha256', token, 'hex');
}

function isSameHash(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}
