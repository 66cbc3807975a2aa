import { orAborted, withinTime } from './abort.ts';
import type { createByteBudget } from './byte-budget.ts';
import { createCallSlots } from './call-slots.ts';
import type { createCircuit } from './circuit.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { judgeAbort } from './judge-abort.ts';
import { UpstreamError, type UpstreamProblem } from './upstream-error.ts';
import type { createUpstreamPool } from './upstream-pool.ts';
import type { UpstreamSession } from './upstream-session.ts';
import type { UpstreamTarget } from './upstream-target.ts';

/** One operation at a server. */
interface Operation<Result> {
  signal: AbortSignal | undefined;
  timeoutMs: number;
  isList: boolean;
  /** Whether what it receives counts towards what all lists may have together. */
  isShared: boolean;
  maxBytes: number;
  maxTotalBytes: number;
  work: (session: UpstreamSession, exchange: Exchange) => Promise<Result>;
}

/** What tells that the server itself cannot be reached, whoever asks. */
const COUNTED: ReadonlySet<UpstreamProblem> = new Set<UpstreamProblem>([
  'NOT_RESOLVED',
  'ADDRESS_REFUSED',
  'URL_REFUSED',
  'TLS_FAILED',
  'CONNECTION_FAILED',
]);
/** The same, where nothing that a user wrote was sent. */
const COUNTED_AT_LIST: ReadonlySet<UpstreamProblem> = new Set<UpstreamProblem>([
  ...COUNTED,
  'TIMEOUT',
  'REDIRECTED',
  'ENCODED',
  'TOO_LARGE',
  'TOO_DEEP',
  'NOT_MCP',
  'PROTOCOL_ERROR',
  'PROTOCOL_REVISION',
  'UNAVAILABLE',
]);
/** With these statuses a server refuses a session that it does not know. It did nothing else. */
const FORGOTTEN: ReadonlySet<number | undefined> = new Set([400, 404]);

/**
 * Creates what runs operations: each waits for a place, asks the circuit, gets its credentials, and borrows a connection.
 *
 * @param options.lists what the answers of all running listings may have together
 */
export function createOperations(options: {
  pool: ReturnType<typeof createUpstreamPool>;
  circuit: ReturnType<typeof createCircuit>;
  lists: ReturnType<typeof createByteBudget>;
  maxSilenceMs: number | undefined;
}) {
  const { pool, circuit, lists, maxSilenceMs } = options;
  const slots = createCallSlots();

  const attempt = async <Result>(
    target: UpstreamTarget,
    operation: Operation<Result>,
    signal: AbortSignal,
  ): Promise<Result> => {
    const { isList, isShared, maxBytes, maxTotalBytes, work } = operation;
    const credentials = await orAborted(target.authorize(), signal);
    const use = (isRetry: boolean): Promise<Result> =>
      pool.use({ target, credentials, signal, isAsking: isList || isRetry }, async ({ session, wasUsed, ended }) => {
        const { headers } = credentials;
        const budget = isShared ? lists.share() : undefined;
        const limits = { maxBytes, maxTotalBytes, maxSilenceMs, budget };
        const exchange = createExchange({ headers, signal: ended, ...limits });
        try {
          return await work(session, exchange);
        } catch (error) {
          const isForgotten =
            error instanceof UpstreamError && FORGOTTEN.has(error.facts.status) && (wasUsed || !isList) && !isRetry;
          if (!isForgotten) throw error;
          await pool.renew(target, session);
          return await use(true);
        } finally {
          budget?.end();
        }
      });
    return use(false);
  };

  const runWithin = async <Result>(
    target: UpstreamTarget,
    operation: Operation<Result>,
    signal: AbortSignal,
  ): Promise<Result> => {
    const server = `${target.configId} ${target.version}`;
    const { isList } = operation;
    let isDeciding = false;
    let leave: (() => void) | undefined;
    try {
      leave = await slots.enter(`${target.configId} ${target.caller ?? target.owner}`, signal);
      isDeciding = circuit.enter(server);
      const result = await attempt(target, operation, signal);
      circuit.succeed(server);
      return result;
    } catch (error) {
      const failure = toFailure(error, signal);
      const problem = failure instanceof UpstreamError ? failure.problem : undefined;
      // An answer to a call that breaks off may be the doing of who called, and the server was reached.
      const isReached = !isList && failure instanceof UpstreamError && failure.facts.status !== undefined;
      const isCounted = problem !== undefined && !isReached && (isList ? COUNTED_AT_LIST : COUNTED).has(problem);
      if (isCounted) circuit.fail(server, problem);
      else if (isDeciding) circuit.abandon(server);
      throw failure;
    } finally {
      leave?.();
    }
  };

  return <Result>(target: UpstreamTarget, operation: Operation<Result>): Promise<Result> =>
    withinTime(operation.timeoutMs, operation.signal, (signal) => runWithin(target, operation, signal));
}

/** Errors of `authorize` stay as they are. */
function toFailure(error: unknown, signal: AbortSignal): unknown {
  return error instanceof UpstreamError || !signal.aborted ? error : judgeAbort(signal);
}
