import {
  ProtocolError,
  ProtocolErrorCode,
  SERVER_INFO_META_KEY,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Door } from '../../domain/door/door.ts';
import type { OpenDoor } from '../../domain/door/door-place.ts';
import { DomainError } from '../../errors.ts';
import { readTraceContext } from '../../mcp/request-meta.ts';

/** Clients may keep a list for this long. Calls are decided anew each time, so an old list gives nobody a tool. */
export const LIST_TTL_MS = 10_000;

/** What a server for one request works with. */
export interface DoorServerOptions {
  door: Door;
  opened: OpenDoor;
  version: string;
  /** The protocol revision in the header of the request. */
  revision: string | undefined;
  /** Whether the request asks for what a client tells its model at the start. */
  isGreeting: boolean;
  /** Does something within the caller's share of the process. @param priceOf as in `OperationShares.run` */
  inShare: <Result>(work: () => Promise<Result>, priceOf?: (result: Result | undefined) => number) => Promise<Result>;
  /** Logs an unexpected error. @returns the id of the log entry */
  report: (error: unknown) => string;
}

/** Who answers at doors. */
export function toIdentity(version: string) {
  return { name: 'gatehouse', title: 'Gatehouse', version };
}

/** The same, as results of revision 2026-07-28 say it. */
export function toServerInfo(version: string) {
  return { [SERVER_INFO_META_KEY]: toIdentity(version) };
}

/** What a request says about how it is made. */
export function toHow(context: ServerContext) {
  const { signal, _meta } = context.mcpReq;
  return { signal, onProgress: toProgress(context), trace: readTraceContext(_meta) };
}

/** Passes the progress of a call on to a client that asked for it. */
function toProgress({ mcpReq }: ServerContext) {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress: { progress: number; total?: number | undefined; message?: string | undefined }): void => {
    const params = { ...progress, progressToken } as never;
    // The client went away: there is nobody to tell.
    void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

/** What is told of an error. Of one of the gateway itself, the id of its log entry. */
export function toShown(error: unknown, report: (error: unknown) => string): { code: string; message: string } {
  if (error instanceof DomainError) return error;
  const message = `Internal error in the gateway. Its log has the details under ${report(error)}.`;
  return { code: 'INTERNAL_SERVER_ERROR', message };
}

/** An error of the gateway, or one that is for the client as it is. */
export function toProtocolError(error: unknown, report: (error: unknown) => string): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const { code, message } = toShown(error, report);
  return new ProtocolError(ProtocolErrorCode.InternalError, message, { code });
}
