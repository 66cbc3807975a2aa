import type { McpServerConfigRecord } from '../../data/records.ts';
import { DomainError } from '../../errors.ts';
import { UpstreamError, type UpstreamProblem } from '../../mcp/upstream-error.ts';
import type { UpstreamCalls } from '../upstreams/upstream-calls.ts';

/** What a server said about itself. */
export interface UpstreamServer {
  protocolVersion: string | null;
  name: string | null;
  version: string | null;
  instructions: string | null;
}

/** The result of listing a server's tools. */
export type UpstreamListing = { latencyMs: number; server: UpstreamServer | null } & (
  | {
      kind: 'listed';
      /** The entries of `tools` from all pages, parsed; their number, size and depth are bounded. */
      tools: readonly unknown[];
      /** The number of tools that were left out already, because nothing could be done with them. */
      leftOut?: number | undefined;
      /** Whether the server has more than was read. What is missing in such a list may still be there. */
      isCut?: boolean | undefined;
      /** How long the list may be kept. Undefined if the server does not say. */
      ttlMs?: number | undefined;
      /** Whether the list is the same for everybody, as far as the server says. */
      cacheScope?: 'public' | 'private' | undefined;
      /** Whether the server says that it tells when its tools change, to those who ask it to. */
      tellsChanges?: boolean | undefined;
    }
  | {
      kind: 'failed';
      /** Whether the server answered: one that refuses the credentials is reachable. */
      isReachable: boolean;
      /** The code of the problem. */
      problem: string;
    }
  /** Asked without credentials, because nobody's were at hand, the server answered: it is there, and does not list. */
  | { kind: 'answered'; problem: 'NEEDS_CONNECT' }
  /** Nothing was sent: there is no connection or no secret to send it with, or the server is given a rest. */
  | { kind: 'not_asked'; problem: string }
);

/** Lists the tools of servers. */
export interface UpstreamTools {
  /**
   * @param userId whose connection to use, for OAuth 2; null: the gateway's own credentials, or none
   * @param signal ends it
   */
  listTools(config: McpServerConfigRecord, userId: string | null, signal?: AbortSignal): Promise<UpstreamListing>;
}

/** Problems that say nothing about the server, because nothing was sent or the answer was not waited for. */
const NOT_ASKED: ReadonlySet<UpstreamProblem> = new Set<UpstreamProblem>([
  'ADDRESS_REFUSED',
  'URL_REFUSED',
  'CIRCUIT_OPEN',
  'BUSY',
  'CANCELLED',
  'CLOSED',
]);
/** Problems that a server tells itself, as an MCP server. */
const ANSWERED: ReadonlySet<UpstreamProblem> = new Set<UpstreamProblem>([
  'UNAUTHORIZED',
  'INSUFFICIENT_SCOPE',
  'FORBIDDEN',
  'RATE_LIMITED',
  'REFUSED',
  'URL_ELICITATION_REQUIRED',
  'TOO_LARGE',
  'TOO_DEEP',
]);

/** How a server refuses somebody without credentials, as it should. */
const REFUSALS: ReadonlySet<UpstreamProblem> = new Set<UpstreamProblem>([
  'UNAUTHORIZED',
  'INSUFFICIENT_SCOPE',
  'FORBIDDEN',
]);

/** Lists tools by calling the servers. Turns every failure into a code. */
export function createUpstreamTools(calls: Pick<UpstreamCalls, 'listTools'>): UpstreamTools {
  return {
    async listTools({ id: configId, authType }, userId, signal) {
      // What it lists for nobody is not what it lists for users. That it answers is worth knowing.
      const asNobody = authType === 'oauth2' && userId === null;
      const begun = performance.now();
      const timed = () => ({ latencyMs: performance.now() - begun, server: null });
      try {
        const outcome = await calls.listTools({ configId, userId }, { signal, asNobody });
        if (outcome.state !== 'ok') return { kind: 'not_asked', problem: outcome.state.toUpperCase(), ...timed() };
        if (asNobody) return { kind: 'answered', problem: 'NEEDS_CONNECT', ...timed() };
        const { tools, skipped, isCut, ttlMs, cacheScope, tellsChanges, server } = outcome.value;
        return {
          kind: 'listed',
          tools: tools.map(({ definition }) => definition),
          leftOut: skipped.length,
          isCut,
          ttlMs,
          cacheScope,
          tellsChanges,
          latencyMs: timed().latencyMs,
          server: {
            protocolVersion: server.protocolVersion ?? null,
            name: server.name ?? null,
            version: server.version ?? null,
            instructions: server.instructions ?? null,
          },
        };
      } catch (error) {
        if (error instanceof DomainError) return { kind: 'not_asked', problem: error.code, ...timed() };
        if (!(error instanceof UpstreamError)) throw error;
        const { problem } = error;
        if (asNobody && REFUSALS.has(problem)) return { kind: 'answered', problem: 'NEEDS_CONNECT', ...timed() };
        if (NOT_ASKED.has(problem)) return { kind: 'not_asked', problem, ...timed() };
        return { kind: 'failed', isReachable: ANSWERED.has(problem), problem, ...timed() };
      }
    },
  };
}
