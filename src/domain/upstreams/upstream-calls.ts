import type { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound, versionMismatch } from '../../errors.ts';
import type { ItemKind, UpstreamItem } from '../../mcp/list-items.ts';
import type { ListedTools } from '../../mcp/list-tools.ts';
import type { ListenEnd } from '../../mcp/listen.ts';
import { UpstreamError } from '../../mcp/upstream-error.ts';
import type { UpstreamTarget } from '../../mcp/upstream-target.ts';
import type { Answered, Asked, CallOptions, Upstreams } from '../../mcp/upstreams.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { StepUpResult } from '../connections/scope-step-up.ts';
import type { ServerHeaders, ServerHeadersResult } from '../connections/server-headers.ts';
import { createScrub, scrubItems, scrubList } from '../tool-calls/scrub-answer.ts';
import { throwScrubbed } from '../tool-calls/scrub-failure.ts';

/** A server, and the user for whom it is called. */
export interface UpstreamCaller {
  configId: string;
  /** Their tokens are sent, if the server uses OAuth 2. Null for nobody in particular. */
  userId: string | null;
}

/** Why a server was not called, or did not accept the user: what the user or an admin has to do. */
export type UpstreamRefusal = Exclude<ServerHeadersResult, { state: 'ready' }>;

/** The result of an operation, or why there is none. */
export type UpstreamOutcome<Value> = { state: 'ok'; value: Value } | UpstreamRefusal;

/** `authorize` ends an operation with it. */
class Refused extends Error {
  readonly refusal: UpstreamRefusal;

  constructor(refusal: UpstreamRefusal) {
    super(refusal.state);
    this.refusal = refusal;
  }
}

/** How a tool is called for a user. */
export interface UserCallOptions extends CallOptions {
  /**
   * Decides again, right before something is sent, when all credentials are there. Whether the server is enabled is asked
   * in any case.
   *
   * @throws what the call then throws
   */
  confirm?: (() => Promise<void>) | undefined;
}

/** How a server's tools are listed. */
export interface UserListOptions extends Pick<CallOptions, 'signal'> {
  /** Sends no credentials to a server with OAuth 2, to find out whether it answers. */
  asNobody?: boolean;
}

/** What was sent to the server. */
interface Sent {
  /** The version of a token that the server rejected. */
  rejected?: number | undefined;
  version?: number | undefined;
  /** Whether nothing of anybody is sent. */
  asNobody?: boolean | undefined;
  /** Collects the values of headers. Undefined when nobody needs them any more. */
  values: Set<Secret> | undefined;
}

/** How often an operation starts anew because the config changed meanwhile. */
const MAX_ATTEMPTS = 3;

/** Calls servers for users. */
export type UpstreamCalls = ReturnType<typeof createUpstreamCalls>;

/**
 * Creates the service that calls servers for users. It decides nothing about who may: ask the policy and the tool lists
 * before. It sends each user's own credentials, renews a token that a server rejects, and remembers the scopes that a
 * server asks for.
 */
export function createUpstreamCalls(options: {
  store: Store;
  upstreams: Upstreams;
  serverHeaders: ServerHeaders;
  requireScopes: (args: { userId: string; configId: string; scopes: readonly string[] }) => Promise<StepUpResult>;
}) {
  const { store, upstreams, serverHeaders, requireScopes } = options;

  const assertActive = async (userId: string): Promise<void> => {
    const user = await store.sessions.findUser(SYSTEM, { id: userId });
    if (user === null || user.status !== 'active') throw notFound('user');
  };

  /** @param isStale whether memory was found to be behind the database */
  const findConfig = async (id: string, isStale = false): Promise<McpServerConfigRecord> => {
    const { configs } = store;
    const config = await (isStale ? configs.findForConnection(SYSTEM, { id }) : configs.findById(SYSTEM, { id }));
    if (config === null) throw notFound('MCP server config');
    return config;
  };

  /** @param sent learns what is sent @param decide decides again before */
  const toTarget = (
    config: McpServerConfigRecord,
    userId: string | null,
    sent: Sent,
    decide: (() => Promise<void>) | undefined,
  ): UpstreamTarget => {
    const { id: configId, version, url, transport, authType } = config;
    const isPersonal = authType === 'oauth2';
    return {
      configId,
      version,
      owner: isPersonal && userId !== null ? userId : 'shared',
      ...(userId !== null && { caller: userId }),
      url,
      transport,
      async authorize() {
        if (isPersonal && userId === null && sent.asNobody === true) return { headers: [], grant: '' };
        if (isPersonal && userId === null) throw new Refused({ state: 'needs_connect' });
        if (userId !== null) await assertActive(userId);
        const headers = await serverHeaders.get({
          configId,
          userId: userId ?? '',
          configVersion: version,
          rejectedVersion: sent.rejected,
        });
        if (headers.state !== 'ready') throw new Refused(headers);
        // The config moved meanwhile: these are for another address.
        if (headers.url !== url) throw versionMismatch(version);
        sent.version = headers.version;
        for (const { value } of headers.headers) sent.values?.add(value);
        return { headers: headers.headers, grant: headers.tokenId ?? '' };
      },
      async confirm() {
        const current = await findConfig(configId);
        if (!current.enabled) throw new Refused({ state: 'disabled' });
        // Memory may be behind the database, from where the credentials came.
        if (current.version > version) throw versionMismatch(current.version);
        await decide?.();
      },
    };
  };

  /** What a refusal of the server means for the user. Undefined if it means nothing for them. */
  const judge = async ({ configId, userId }: UpstreamCaller, error: UpstreamError) => {
    const { problem, facts } = error;
    if (userId === null || (problem !== 'UNAUTHORIZED' && problem !== 'INSUFFICIENT_SCOPE')) return undefined;
    const scopes = facts.scopes ?? [];
    const next = await requireScopes({ userId, configId, scopes });
    if (problem === 'UNAUTHORIZED') {
      return { state: 'reconnect', reason: 'The server does not accept the access token; connect again.' } as const;
    }
    if (next === 'refused') return undefined;
    const reason = `The server asks for more scopes (${scopes.join(' ')}); connect again to grant them.`;
    return { state: 'reconnect', reason } as const;
  };

  const operate = async <Value>(
    caller: UpstreamCaller,
    work: (target: UpstreamTarget) => Promise<Value>,
    { sent = { values: undefined }, decide }: { sent?: Sent; decide?: (() => Promise<void>) | undefined } = {},
  ): Promise<UpstreamOutcome<Value>> => {
    const { configId, userId } = caller;
    for (let attempt = 1; ; attempt += 1) {
      const config = await findConfig(configId, attempt > 1);
      if (!config.enabled) return { state: 'disabled' };
      try {
        return { state: 'ok', value: await work(toTarget(config, userId, sent, decide)) };
      } catch (error) {
        if (error instanceof Refused) return error.refusal;
        if (isStale(error) && attempt < MAX_ATTEMPTS) continue;
        const isOff = isClosed(error) && !(await findConfig(configId)).enabled;
        if (isOff) return { state: 'disabled' };
        if (!(error instanceof UpstreamError) || config.authType !== 'oauth2') throw error;
        // Once: with a token that the user got meanwhile, or with a new one.
        if (error.problem === 'UNAUTHORIZED' && sent.rejected === undefined && sent.version !== undefined) {
          sent.rejected = sent.version;
          continue;
        }
        const refusal = await judge(caller, error);
        if (refusal === undefined) throw error;
        return refusal;
      }
    }
  };

  return {
    /**
     * Lists a server's tools. Credentials that were sent are removed from what others will read.
     *
     * @throws UpstreamError; NOT_FOUND, DECRYPTION_FAILED, UPSTREAM_FAILED when a token cannot be renewed for now
     */
    async listTools(
      caller: UpstreamCaller,
      { signal, asNobody }: UserListOptions = {},
    ): Promise<UpstreamOutcome<ListedTools>> {
      const values = new Set<Secret>();
      const sent: Sent = { values, asNobody };
      try {
        return await operate(
          caller,
          async (target) => {
            const listed = await upstreams.listTools(target, { signal });
            // What was sent is known only now.
            return scrubList(values, listed);
          },
          { sent },
        );
      } finally {
        sent.values = undefined;
      }
    },

    /**
     * Lists what a server has besides tools. Credentials that were sent are removed, and what has one in its key is left out.
     *
     * @throws as `listTools`
     */
    async listItems(
      caller: UpstreamCaller,
      kind: ItemKind,
      { signal }: UserListOptions = {},
    ): Promise<UpstreamOutcome<readonly UpstreamItem[]>> {
      const values = new Set<Secret>();
      const sent: Sent = { values };
      try {
        const work = async (target: UpstreamTarget) =>
          scrubItems(values, await upstreams.listItems(target, kind, { signal }));
        return await operate(caller, work, { sent });
      } finally {
        sent.values = undefined;
      }
    },

    /**
     * Calls a tool, reads a resource or gets a prompt. The credentials that were sent are removed from what comes back.
     *
     * @throws as `listTools`
     */
    async ask(
      caller: UpstreamCaller,
      asked: Asked,
      { onProgress, confirm, ...how }: UserCallOptions = {},
    ): Promise<UpstreamOutcome<Answered>> {
      const values = new Set<Secret>();
      const sent: Sent = { values };
      const progress =
        onProgress && ((update: Parameters<typeof onProgress>[0]) => onProgress(createScrub(values)(update)));
      try {
        return await operate(
          caller,
          async (target) => {
            const answered = await upstreams
              .ask(target, asked, { ...how, onProgress: progress })
              .catch((error: unknown) => throwScrubbed(error, createScrub(values)));
            return { ...answered, result: createScrub(values)(answered.result) };
          },
          { sent, decide: confirm },
        );
      } finally {
        // The connection outlives the call, and keeps no credentials.
        sent.values = undefined;
      }
    },

    /**
     * Hears from a server for a while that its tools changed. A refusal says nothing about the user: listing tells.
     *
     * @throws as `listTools`
     */
    listen: (
      caller: UpstreamCaller,
      how: { signal: AbortSignal; onOpen: () => void },
    ): Promise<UpstreamOutcome<ListenEnd>> =>
      operate(caller, async (target) => {
        try {
          return await upstreams.listen(target, how);
        } catch (error) {
          if (error instanceof UpstreamError && error.facts.status !== undefined) return 'ended';
          throw error;
        }
      }),

    /** Why a server is left alone, if it is. */
    pause: upstreams.pause,
  };
}

function isStale(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'VERSION_MISMATCH';
}

function isClosed(error: unknown): boolean {
  return error instanceof UpstreamError && error.problem === 'CLOSED';
}
