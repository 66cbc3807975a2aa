import { DomainError } from '../../errors.ts';
import { UpstreamError } from '../../mcp/upstream-error.ts';
import type { CallOptions } from '../../mcp/upstreams.ts';
import type { CatalogueDecision } from '../catalogue/tool-decision.ts';
import type { EffectiveServer } from '../catalogue/tool-servers.ts';
import { STATE_REASONS } from '../chats/effective-servers.ts';
import type { UpstreamCalls } from '../upstreams/upstream-calls.ts';

/** The result of a call as the server gave it, or why there is none, in words for a model. */
export type CallAnswer =
  | { kind: 'result'; result: Readonly<Record<string, unknown>> }
  | { kind: 'refused'; code: string; message: string; connectUrl?: string };

/** A call, with all that is decided about it. */
export interface DecidedCall {
  userId: string;
  server: EffectiveServer;
  /** The server's own name of the tool. */
  tool: string;
  decision: CatalogueDecision;
  arguments: Readonly<Record<string, unknown>>;
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
  upstreamCalls: Pick<UpstreamCalls, 'callTool'>;
  connectUrl: (configId: string) => string;
}) {
  const { upstreamCalls, connectUrl } = options;

  const toStateRefusal = (
    { config }: EffectiveServer,
    state: keyof typeof STATE_CODES,
    reason: string = STATE_REASONS[state],
  ): CallAnswer => {
    const code = STATE_CODES[state];
    if (state === 'disabled' || state === 'unavailable') {
      return { kind: 'refused', code, message: `${config.displayName}: ${reason}` };
    }
    const url = connectUrl(config.id);
    const message = `${config.displayName}: ${reason} Ask the user to open ${url} and to connect, then call again.`;
    return { kind: 'refused', code, message, connectUrl: url };
  };

  return {
    /** Calls a tool, if the decisions allow it. The configuration is read again just before anything is sent. */
    async call(
      { userId, server, tool, decision, arguments: args }: DecidedCall,
      how: CallOptions,
    ): Promise<CallAnswer> {
      const { config, state } = server;
      if (state !== 'ready') return toStateRefusal(server, state);
      if (decision !== 'allowed') {
        return { kind: 'refused', code: decision.toUpperCase(), message: DECISION_WORDS[decision] };
      }
      try {
        const outcome = await upstreamCalls.callTool(
          { configId: config.id, userId },
          { name: tool, arguments: args },
          how,
        );
        if (outcome.state === 'ok') return { kind: 'result', result: outcome.value.result };
        return toStateRefusal(server, outcome.state, 'reason' in outcome ? outcome.reason : undefined);
      } catch (error) {
        if (error instanceof UpstreamError) {
          return { kind: 'refused', code: error.problem, message: `${config.displayName}: ${error.message}` };
        }
        if (!(error instanceof DomainError)) throw error;
        return { kind: 'refused', code: error.code, message: `${config.displayName}: ${error.message}` };
      }
    },
  };
}
