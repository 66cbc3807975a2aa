import { DomainError } from '../../errors.ts';
import type { Quotas } from '../../limits/quotas.ts';
import { UpstreamError, type UpstreamProblem } from '../../mcp/upstream-error.ts';
import type { Asked, CallOptions } from '../../mcp/upstreams.ts';
import type { UrlElicitation } from '../../mcp/url-elicitation.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { CatalogueDecision } from '../catalogue/tool-decision.ts';
import type { EffectiveServer } from '../catalogue/tool-servers.ts';
import { STATE_REASONS } from '../chats/effective-servers.ts';
import type { UserRates } from '../shares/user-rates.ts';
import type { CallRecords, ToolCallOutcome } from '../tool-calls/call-records.ts';
import type { UpstreamCalls } from '../upstreams/upstream-calls.ts';
import type { CallRefusal, CallWatch } from './call-watch.ts';

/** The result of a call as the server gave it, or why there is none, in words for a model. */
export type CallAnswer = { kind: 'result'; result: Readonly<Record<string, unknown>>; bytes: number } | CallRefusal;

/** A call, with all that is decided about it. */
export interface DecidedCall {
  viewer: Viewer;
  /** As whom the server is called. */
  userId: string;
  chatId: string | undefined;
  server: EffectiveServer;
  /** What is asked for, by the server's own name of it. */
  asked: Asked;
  decision: CatalogueDecision;
  /** The tool's schema, if it wants arguments in headers. */
  inputSchema: unknown;
  /** Decides again. Undefined if there is no such thing any more. */
  decideAgain(): Promise<Pick<DecidedCall, 'server' | 'decision'> | undefined>;
}

/** The answers to what does not exist, and to what the caller may not know of. */
export const NO_SUCH = {
  tool: noSuch('There is no tool with this name here. List the tools again, and use one of their names.'),
  resource: noSuch('There is no resource with this URI here. List the resources again, and use one of their URIs.'),
  prompt: noSuch('There is no prompt with this name here. List the prompts again, and use one of their names.'),
} as const satisfies Record<Asked['kind'], CallRefusal>;

function noSuch(message: string): CallRefusal {
  return { kind: 'refused', code: 'NOT_FOUND', message };
}

/** JSON-RPC codes with which servers refuse a URI, a name or arguments: in this revision, and before. */
const UNKNOWN_CODES: ReadonlySet<number | undefined> = new Set([-32_602, -32_002]);
const UNKNOWN = 'UNKNOWN_AT_SERVER';
const UNKNOWN_WORDS = 'The server does not know this, or does not take these arguments.';

/** The code of a call that waits for its user to open a page. */
const OPEN_PAGE_FIRST: UpstreamProblem = 'URL_ELICITATION_REQUIRED';

/** The user was asked to open a page, and did not. */
export const PAGE_NOT_OPENED = {
  kind: 'refused',
  code: OPEN_PAGE_FIRST,
  message: 'The user did not open the page that the server wants them to open. The tool was not called again.',
} as const;

/** The call was allowed when it came, and is not any more. */
class NoLonger extends Error {
  readonly answer: CallRefusal;

  constructor(answer: CallRefusal) {
    super('a call is not allowed any more');
    this.answer = answer;
  }
}

/** Why a tool cannot be called, and what helps. */
const DECISION_WORDS = {
  denied: 'An admin has switched this tool off. Do without it.',
  not_allowed: 'An admin has not allowed this tool. Do without it.',
  pending: 'This tool is new or has changed, and an admin has not approved it yet. Do without it for now.',
  gone: 'The server does not have this tool any more. List the tools again.',
} as const satisfies Record<Exclude<CatalogueDecision, 'allowed'>, string>;

const STATE_CODES = {
  needs_connect: 'NEEDS_CONNECT',
  reconnect: 'RECONNECT',
  disabled: 'DISABLED',
  unavailable: 'UNAVAILABLE',
} as const;

/** Makes the calls of doors. */
export type DoorCalls = ReturnType<typeof createDoorCalls>;

/** Creates the service. */
export function createDoorCalls(options: {
  upstreamCalls: Pick<UpstreamCalls, 'ask'>;
  records: Pick<CallRecords, 'record'>;
  connectUrl: (configId: string) => string;
  watch: CallWatch;
  userRates: Pick<UserRates, 'takeServerCall'>;
  quotas: Pick<Quotas, 'toolCallsPerServerPerMinute'>;
}) {
  const { upstreamCalls, records, connectUrl, watch, userRates, quotas } = options;

  const toStateRefusal = (
    { config }: EffectiveServer,
    state: keyof typeof STATE_CODES,
    reason: string = STATE_REASONS[state],
  ): CallRefusal => {
    const code = STATE_CODES[state];
    if (state === 'disabled' || state === 'unavailable') {
      return { kind: 'refused', code, message: `${config.displayName}: ${reason}` };
    }
    const url = connectUrl(config.id);
    const message = `${config.displayName}: ${reason} Ask the user to open ${url} and to connect, then call again.`;
    return { kind: 'refused', code, message, connectUrl: url };
  };

  /** Why a call is not made. Undefined if it is. */
  const toRefusal = ({ server, decision }: Pick<DecidedCall, 'server' | 'decision'>): CallRefusal | undefined => {
    if (server.state !== 'ready') return toStateRefusal(server, server.state);
    if (decision === 'allowed') return undefined;
    return { kind: 'refused', code: decision.toUpperCase(), message: DECISION_WORDS[decision] };
  };

  /** Counts a call to a server. @returns the refusal, if there are too many */
  const countServerCall = ({ id, displayName }: EffectiveServer['config']): CallRefusal | undefined => {
    const { isAllowed, retryAfterSeconds } = userRates.takeServerCall(id);
    if (isAllowed) return undefined;
    const message = `${displayName}: There were more than ${quotas.toolCallsPerServerPerMinute} calls of its tools in a minute, for all users together. Wait ${retryAfterSeconds} seconds, then call again.`;
    return { kind: 'refused', code: 'RATE_LIMITED', message, isDenied: true };
  };

  const attempt = async (call: DecidedCall, how: CallOptions): Promise<CallAnswer> => {
    const { userId, server, asked, inputSchema, decideAgain } = call;
    const { config } = server;
    const refusal = toRefusal(call) ?? countServerCall(config);
    if (refusal !== undefined) return refusal;
    const confirm = async (): Promise<void> => {
      const current = await decideAgain().catch(toNoLonger);
      const answer = current === undefined ? NO_SUCH[asked.kind] : toRefusal(current);
      if (answer !== undefined) throw new NoLonger(answer);
    };
    const decide = () => confirm().then(() => undefined, toAnswer);
    const running = watch.add({ configId: config.id, decide }, how.signal);
    try {
      const options = { ...how, signal: running.signal, inputSchema, confirm };
      const outcome = await upstreamCalls.ask({ configId: config.id, userId }, asked, options);
      if (outcome.state === 'ok') return { kind: 'result', ...outcome.value };
      return toStateRefusal(server, outcome.state, 'reason' in outcome ? outcome.reason : undefined);
    } catch (error) {
      const ended = running.refusal();
      if (ended !== undefined) return ended;
      const reason = isClosed(error) ? await confirm().then(() => error, toItself) : error;
      if (reason instanceof NoLonger) return reason.answer;
      if (error instanceof UpstreamError) {
        const { elicitations } = error.facts;
        if (elicitations !== undefined) return toElicitation(config.displayName, elicitations);
        const isUnknown =
          asked.kind !== 'tool' && error.problem === 'REFUSED' && UNKNOWN_CODES.has(error.facts.rpcCode);
        const [code, words] = isUnknown ? [UNKNOWN, UNKNOWN_WORDS] : [error.problem, error.message];
        return { kind: 'refused', code, message: `${config.displayName}: ${words}` };
      }
      if (!(error instanceof DomainError)) throw error;
      return { kind: 'refused', code: error.code, message: `${config.displayName}: ${error.message}` };
    } finally {
      running.leave();
    }
  };

  return {
    /**
     * Asks a server for something, if the decisions allow it, and records that. Everything is decided again just before anything is
     * sent, and whenever something changes while the call runs.
     */
    async call(call: DecidedCall, how: CallOptions): Promise<CallAnswer> {
      const startedAt = performance.now();
      let answer: CallAnswer | undefined;
      try {
        answer = await attempt(call, how);
        return answer;
      } finally {
        const { viewer, userId, chatId, server, asked } = call;
        await records.record({
          viewer,
          userId,
          chatId,
          config: server.config,
          asked,
          outcome: toOutcome(answer),
          code: answer?.kind === 'refused' ? answer.code : undefined,
          ms: Math.round(performance.now() - startedAt),
          bytes: answer?.kind === 'result' ? answer.bytes : undefined,
        });
      }
    },
  };
}

/** The user has to open pages of the server. The server's words come with its name: nobody should take them for ours. */
function toElicitation(displayName: string, given: readonly UrlElicitation[]): CallRefusal {
  const elicitations = given.map((each) => ({ ...each, message: `${displayName}: ${each.message}` }));
  const pages = given.map(({ url, message }) => `${url} ("${message.replaceAll('"', "'")}")`).join(', and ');
  const message = `${displayName} wants the user to open ${pages}. Ask the user whether they trust that address, and to open it; when they have done what it asks, call again.`;
  return { kind: 'refused', code: OPEN_PAGE_FIRST, message, elicitations };
}

/** The connection was closed, since something about the server or the user's credentials changed. */
function isClosed(error: unknown): boolean {
  return error instanceof UpstreamError && error.problem === 'CLOSED';
}

function toAnswer(error: unknown): CallRefusal {
  if (error instanceof NoLonger) return error.answer;
  throw error;
}

function toItself(error: unknown): unknown {
  return error;
}

/** The door itself is closed to the caller now. @throws other errors */
function toNoLonger(error: unknown): never {
  if (!(error instanceof DomainError)) throw error;
  throw new NoLonger({ kind: 'refused', code: error.code, message: error.message });
}

/** What the gateway itself decides. The rest is what servers did. */
const DENIALS: ReadonlySet<string> = new Set([
  'NOT_FOUND',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  ...Object.keys(DECISION_WORDS).map((decision) => decision.toUpperCase()),
  ...Object.values(STATE_CODES).filter((code) => code !== 'UNAVAILABLE'),
]);

/** @param answer undefined if the gateway failed */
function toOutcome(answer: CallAnswer | undefined): ToolCallOutcome {
  if (answer?.kind === 'result') return answer.result['isError'] === true ? 'tool_error' : 'success';
  return answer !== undefined && (answer.isDenied === true || DENIALS.has(answer.code)) ? 'denied' : 'failed';
}
