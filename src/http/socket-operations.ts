import { randomUUID } from 'node:crypto';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, makeServer } from 'graphql-ws';
import type { Denials } from '../domain/audit/denials.ts';
import type { Authentication } from '../domain/credentials/authentication.ts';
import type { FollowedViewer } from '../domain/credentials/viewer-renewal.ts';
import { DomainError, unauthenticated } from '../errors.ts';
import { toGraphQLError } from '../graphql/mask-error.ts';
import { toWireError, toWireResult } from '../graphql/wire-result.ts';
import type { GraphQLFace, PreparedOperation } from '../graphql/yoga.ts';
import { NOBODY, type Viewer } from '../policy/viewer.ts';
import { runInRequest } from '../telemetry/request-scope.ts';
import { readBearer } from './authenticate.ts';

/** Operations that one connection may have open at the same time. */
export const MAX_SOCKET_OPERATIONS = 32;

/** Who is at the other end of a connection. */
export interface SocketCaller {
  /** From a header or the cookie of the handshake; nobody as long as he may still say who he is. */
  viewer: Viewer;
  address: string | undefined;
  /** The viewer as he is now; absent until the connection is initialised. */
  findViewer?: FollowedViewer;
  /** Operations that have not ended, by their ids, with the streams among them. */
  operations: Map<string, AsyncIterator<ExecutionResult> | undefined>;
  /** Makes place for the connection of a user. @throws RATE_LIMITED when he has too many */
  admit(viewer: Viewer): void;
  close(code: number, reason: string): void;
}

/** What a connection works with. */
export interface SocketOperationsOptions {
  graphql: Pick<GraphQLFace, 'prepare'>;
  authentication: Authentication;
  /** Follows a viewer: who he is by now, whenever it is asked. */
  follow: (viewer: Viewer) => FollowedViewer;
  denials: Denials;
  /** Turns whatever was thrown into what a caller is told. */
  maskError: (error: unknown) => GraphQLError;
}

const TOO_MANY = new DomainError(
  'RATE_LIMITED',
  `A connection has at most ${MAX_SOCKET_OPERATIONS} operations at the same time.`,
);

/** The close code for those who may try again in a while (RFC 6455 registry: Try Again Later). */
const TRY_AGAIN_LATER = 1013;

/**
 * The protocol `graphql-transport-ws` over the graph. A caller is who his token in `connection_init` says, or else who
 * the handshake said; each operation is asked for by the viewer as he is at that moment.
 */
export function createSocketOperations({
  graphql,
  authentication,
  follow,
  denials,
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

  /** Runs one operation, and writes down what was refused before its answer goes out. */
  const prepareReported = async (
    viewer: Viewer,
    message: Parameters<GraphQLFace['prepare']>[0],
    requestId: string,
  ): Promise<PreparedOperation | readonly GraphQLError[]> => {
    const denied = new Map<string, string>();
    const onDenied = (operation: string, code: string) => void denied.set(operation, code);
    const prepared = await graphql.prepare(message, { viewer, requestId, acceptsEvents: true, onDenied });
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

  /** Runs an operation. What goes wrong is its own result, and no concern of the others on the connection. */
  const run = async ({ id, caller, requestId, run: runPrepared }: Ready): Promise<never> => {
    const { operations } = caller;
    try {
      const result = await runInRequest({ requestId, address: caller.address }, runPrepared);
      if (!(Symbol.asyncIterator in result)) {
        operations.delete(id);
        return result as never;
      }
      const stream = forgetting(result[Symbol.asyncIterator](), () => operations.delete(id));
      operations.set(id, stream);
      return stream as never;
    } catch (error) {
      operations.delete(id);
      return { errors: [maskError(error)] } as never;
    }
  };

  return makeServer<Record<string, unknown>, SocketCaller>({
    onConnect: ({ connectionParams, extra: caller }) =>
      inScope(caller, async () => {
        try {
          const viewer = await identify(caller, connectionParams);
          if (viewer.kind === 'nobody') return await refuse(caller);
          caller.admit(viewer);
          caller.findViewer = follow(viewer);
          return true;
        } catch (error) {
          // A database that does not answer, or too many connections: neither is the caller's fault.
          caller.close(TRY_AGAIN_LATER, error instanceof DomainError ? error.message : maskError(error).message);
          return false;
        }
      }),

    onSubscribe: ({ extra: caller }, id, payload) => {
      const { operations } = caller;
      // Before anything is waited for: the library looks at its own list, which a client can empty meanwhile.
      if (operations.has(id)) {
        caller.close(CloseCode.SubscriberAlreadyExists, 'An operation with this id has not ended yet');
        return [toGraphQLError(TOO_MANY)];
      }
      if (operations.size >= MAX_SOCKET_OPERATIONS) return [toGraphQLError(TOO_MANY)];
      operations.set(id, undefined);
      return inScope(caller, async (requestId) => {
        try {
          const viewer = (await caller.findViewer?.()) ?? NOBODY;
          if (viewer.kind === 'nobody') {
            operations.delete(id);
            await refuse(caller);
            return [toGraphQLError(unauthenticated())];
          }
          const prepared = await prepareReported(viewer, payload, requestId);
          if ('run' in prepared) return { ...prepared.args, rootValue: { ...prepared, id, caller, requestId } };
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
    /** Who is nobody by now has nothing to say here any more. */
    async onComplete({ extra: caller }) {
      try {
        const viewer = await caller.findViewer?.();
        if (viewer?.kind === 'nobody') caller.close(CloseCode.Unauthorized, 'Unauthorized');
      } catch {
        // The next operation asks again.
      }
    },
  });
}

interface Ready extends PreparedOperation {
  id: string;
  caller: SocketCaller;
  requestId: string;
}

/** The same results; tells when they are over, however that comes. */
function forgetting(
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

/** Each message is a request of its own, in the log and in the audit log. */
function inScope<Result>(caller: SocketCaller, work: (requestId: string) => Promise<Result>): Promise<Result> {
  const requestId = randomUUID();
  return runInRequest({ requestId, address: caller.address }, () => work(requestId));
}
