import { randomUUID } from 'node:crypto';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, makeServer } from 'graphql-ws';
import type { Denials } from '../domain/audit/denials.ts';
import type { Authentication } from '../domain/credentials/authentication.ts';
import type { FollowedViewer } from '../domain/credentials/viewer-renewal.ts';
import type { OperationShares } from '../domain/shares/operation-shares.ts';
import type { UserRates } from '../domain/shares/user-rates.ts';
import { DomainError, unauthenticated } from '../errors.ts';
import { toGraphQLError } from '../graphql/mask-error.ts';
import { emptyParams } from '../graphql/request-params.ts';
import { toWireError, toWireResult } from '../graphql/wire-result.ts';
import type { GraphQLFace, PreparedOperation } from '../graphql/yoga.ts';
import { CONNECTION_LIMITS } from '../limits/connection-limits.ts';
import { hasScope } from '../policy/token-grant.ts';
import { NOBODY, type Viewer } from '../policy/viewer.ts';
import { runInRequest } from '../telemetry/request-scope.ts';
import { readBearer } from './authenticate.ts';

/** Limit of concurrent operations of one connection. */
export const MAX_SOCKET_OPERATIONS = CONNECTION_LIMITS.socketOperations.value;

/** The caller of a connection, and its operations. */
export interface SocketCaller {
  /** Authenticated by a header or cookie of the handshake; `nobody` until `connection_init` authenticates the caller. */
  viewer: Viewer;
  address: string | undefined;
  /** Returns the current state of the viewer; undefined until the connection is initialized. */
  findViewer?: FollowedViewer;
  /** Running operations by id. */
  operations: Map<string, SocketOperation>;
  /** Says that the caller has sent `connection_init` and is being identified. */
  beginAdmission(): void;
  /** Counts the connection towards the limit of its user. @throws RATE_LIMITED if the user has too many */
  admit(viewer: Viewer): void;
  close(code: number, reason: string): void;
  /** Aborts when the connection ends. */
  gone: AbortSignal;
}

/** An operation of a connection. */
export interface SocketOperation {
  /** Its results, if it has several. */
  stream?: AsyncIterator<ExecutionResult>;
  /** Aborts when the client does not wait for it any more. */
  readonly stopped: AbortController;
}

/** The dependencies of socket operations. */
export interface SocketOperationsOptions {
  graphql: Pick<GraphQLFace, 'prepare'>;
  authentication: Authentication;
  /** Returns a function that re-checks the viewer's credential and role at each call. */
  follow: (viewer: Viewer) => FollowedViewer;
  denials: Denials;
  shares: OperationShares;
  userRates: Pick<UserRates, 'admitOperation'>;
  /** Converts any error to one that is safe to send to the caller. */
  maskError: (error: unknown) => GraphQLError;
}

/** The library keeps the id as long as the operation. */
const MAX_ID_LENGTH = CONNECTION_LIMITS.socketId.value;

const TOO_MANY = new DomainError(
  'RATE_LIMITED',
  `A connection may have at most ${MAX_SOCKET_OPERATIONS} concurrent operations.`,
);

/** The close code for temporary failures (RFC 6455 registry: Try Again Later). */
const TRY_AGAIN_LATER = 1013;

/**
 * Implements the `graphql-transport-ws` protocol. The token in `connection_init` identifies the caller; without one, the
 * credential of the handshake does. Each operation runs with the current state of the viewer.
 */
export function createSocketOperations({
  graphql,
  authentication,
  follow,
  denials,
  shares,
  userRates,
  maskError,
}: SocketOperationsOptions) {
  const identify = async (caller: SocketCaller, params: Readonly<Record<string, unknown>> = {}): Promise<Viewer> => {
    const given = params['authorization'] ?? params['Authorization'];
    if (given === undefined || given === null) return caller.viewer;
    return typeof given === 'string' ? authentication.verifyBearer(readBearer(given) ?? '') : NOBODY;
  };

  const refuse = async (caller: SocketCaller): Promise<false> => {
    await denials.record(NOBODY, { operation: 'WebSocket /graphql', code: 'UNAUTHENTICATED' });
    caller.close(CloseCode.Unauthorized, 'Unauthorized');
    return false;
  };

  /** For a token in the first message. That of the handshake was checked there. */
  const refuseScope = async (caller: SocketCaller, viewer: Viewer): Promise<false> => {
    await denials.record(viewer, { operation: 'WebSocket /graphql', code: 'FORBIDDEN' });
    caller.close(CloseCode.Forbidden, 'Forbidden');
    return false;
  };

  /** Prepares an operation whose denials are recorded in the audit log before its result is sent. */
  const prepareReported = async (
    viewer: Viewer,
    caller: SocketCaller,
    message: Parameters<GraphQLFace['prepare']>[0],
    requestId: string,
    stopped: AbortSignal,
  ): Promise<PreparedOperation | readonly GraphQLError[]> => {
    const denied = new Map<string, string>();
    const onDenied = (operation: string, code: string) => void denied.set(operation, code);
    const prepared = await graphql.prepare(message, {
      ...{ viewer, requestId, acceptsEvents: true, onDenied },
      gone: () => AbortSignal.any([caller.gone, stopped]),
    });
    if (!('run' in prepared)) return prepared;
    return {
      args: prepared.args,
      async run() {
        const result = await prepared.run();
        for (const [operation, code] of denied) await denials.record(viewer, { operation, code });
        return result;
      },
    };
  };

  /** Runs an operation. Its errors become its own result and do not affect other operations of the connection. */
  const run = async ({ id, caller, viewer, requestId, run: runPrepared }: Ready): Promise<never> => {
    const { operations } = caller;
    try {
      const scope = { requestId, address: caller.address };
      const result = await runInRequest(scope, () => shares.run(viewer, runPrepared));
      if (!(Symbol.asyncIterator in result)) {
        operations.delete(id);
        return result as never;
      }
      const stream = withEndCallback(result[Symbol.asyncIterator](), () => operations.delete(id));
      const operation = operations.get(id);
      if (operation !== undefined) operation.stream = stream;
      return stream as never;
    } catch (error) {
      operations.delete(id);
      return { errors: [maskError(error)] } as never;
    }
  };

  return makeServer<Record<string, unknown>, SocketCaller>({
    onConnect: ({ connectionParams, extra: caller }) =>
      inScope(caller, async () => {
        caller.beginAdmission();
        try {
          const viewer = await identify(caller, connectionParams);
          // The library keeps them as long as the connection.
          emptyParams(connectionParams ?? {});
          if (viewer.kind === 'nobody') return await refuse(caller);
          if (!hasScope(viewer, 'graph')) return await refuseScope(caller, viewer);
          caller.admit(viewer);
          caller.findViewer = follow(viewer);
          return true;
        } catch (error) {
          // The database does not respond, or there are too many connections. The caller may retry.
          caller.close(TRY_AGAIN_LATER, error instanceof DomainError ? error.message : maskError(error).message);
          return false;
        }
      }),

    onSubscribe: ({ extra: caller }, id, payload) => {
      const { operations } = caller;
      if (id.length > MAX_ID_LENGTH) {
        caller.close(CloseCode.BadRequest, `The id of an operation has more than ${MAX_ID_LENGTH} characters`);
        return [toGraphQLError(TOO_MANY)];
      }
      // Checked before the first await. The library only checks its own list, which a client can empty in the meantime.
      if (operations.has(id)) {
        caller.close(CloseCode.SubscriberAlreadyExists, 'An operation with this id is still running');
        return [toGraphQLError(TOO_MANY)];
      }
      if (operations.size >= MAX_SOCKET_OPERATIONS) return [toGraphQLError(TOO_MANY)];
      const stopped = new AbortController();
      operations.set(id, { stopped });
      return inScope(caller, async (requestId) => {
        try {
          const viewer = (await caller.findViewer?.()) ?? NOBODY;
          if (viewer.kind === 'nobody') {
            operations.delete(id);
            await refuse(caller);
            return [toGraphQLError(unauthenticated())];
          }
          await userRates.admitOperation(viewer);
          const prepared = await shares.run(viewer, () =>
            prepareReported(viewer, caller, payload, requestId, stopped.signal),
          );
          if ('run' in prepared) return { ...prepared.args, rootValue: { ...prepared, id, caller, viewer, requestId } };
          operations.delete(id);
          return prepared;
        } catch (error) {
          operations.delete(id);
          return [maskError(error)];
        }
      });
    },
    execute: ({ rootValue }) => run(rootValue as Ready),
    subscribe: ({ rootValue }) => run(rootValue as Ready),

    onNext: (_context, _id, _payload, _args, result) => toWireResult(result),
    onError: (_context, _id, _payload, errors) => errors.map(toWireError),
    /** Closes the connection if its caller is no longer authenticated. */
    async onComplete({ extra: caller }) {
      try {
        const viewer = await caller.findViewer?.();
        if (viewer?.kind === 'nobody') caller.close(CloseCode.Unauthorized, 'Unauthorized');
      } catch {
        // The next operation checks again.
      }
    },
  });
}

interface Ready extends PreparedOperation {
  id: string;
  caller: SocketCaller;
  viewer: Viewer;
  requestId: string;
}

/** Wraps an iterator and calls `onEnd` when it ends, fails or is cancelled. */
function withEndCallback(
  results: AsyncIterator<ExecutionResult>,
  onEnd: () => void,
): AsyncIterableIterator<ExecutionResult> {
  const end = async (last: Promise<unknown> | undefined): Promise<IteratorResult<ExecutionResult>> => {
    onEnd();
    await last;
    return { value: undefined, done: true };
  };
  return {
    async next() {
      try {
        const result = await results.next();
        return result.done === true ? await end(undefined) : result;
      } catch (error) {
        onEnd();
        throw error;
      }
    },
    return: () => end(results.return?.()),
    async throw(error) {
      await end(results.return?.());
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Gives each message its own request id, for the log and the audit log. */
function inScope<Result>(caller: SocketCaller, work: (requestId: string) => Promise<Result>): Promise<Result> {
  const requestId = randomUUID();
  return runInRequest({ requestId, address: caller.address }, () => work(requestId));
}
