import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { scrubDatabaseError } from '../../data/database/database-error.ts';
import type { Door } from '../../domain/door/door.ts';
import type { OpenDoor } from '../../domain/door/door-place.ts';
import type { ConfigStreams } from '../../domain/feed/config-streams.ts';
import { createPlaces } from '../../domain/feed/places.ts';
import { iterate } from '../../domain/feed/supply.ts';
import type { OperationShares } from '../../domain/shares/operation-shares.ts';
import type { UserRates } from '../../domain/shares/user-rates.ts';
import { CONNECTION_LIMITS } from '../../limits/connection-limits.ts';
import { REQUEST_LIMITS } from '../../limits/request-limits.ts';
import { viewerUserId } from '../../policy/viewer.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import type { HttpEnv } from '../context.ts';
import { countAnswer, countWhole } from './counted-answer.ts';
import type { DoorServerOptions } from './door-answer.ts';
import { followList } from './door-changes.ts';
import { assertBearer, assertOrigin, readDoorRequest, readMessage, toLibraryRequest } from './door-request.ts';
import { beginMessage } from './door-spans.ts';
import { DOOR_PATHS } from './resource-metadata.ts';
import { createRunningCalls } from './running-calls.ts';
import { createUnreadAnswers, tooMuchUnread, toUnreadRefusal } from './unread-answers.ts';

/** The dependencies of the door routes. */
export interface DoorRoutesOptions {
  version: string;
  door: Door;
  streams: ConfigStreams;
  shares: OperationShares;
  userRates: UserRates;
  origins: { publicUrl: string; corsOrigins: readonly string[] };
  log: Logger;
  tracing: Tracing | undefined;
}

/** Messages whose answers tell what the door is. */
const GREETINGS: ReadonlySet<unknown> = new Set(['initialize', 'server/discover']);

/** What it costs to open a door, by the servers behind it, in milliseconds: more than was measured, by half. */
const priceOfOpening = (door: OpenDoor | undefined): number => 0.15 + 0.005 * (door?.servers.length ?? 0);

/** How a plain answer is sent. */
const PLAIN = { status: 200, headers: { 'content-type': 'application/json' } };

/**
 * The MCP endpoints: `/mcp` and those of servers and chats. Nothing is kept between two requests, so any replica answers
 * any of them. All check in the same order: the token, the role, the feature flag, the origin, the place, the body.
 *
 * A call can take as long as a server takes, so requests do not hold one of their caller's places for operations; they have
 * places of their own. What costs time of the process itself, the list, is done within the caller's share of it.
 */
export function createDoorRoutes(options: DoorRoutesOptions): Hono<HttpEnv> {
  const { version, door, streams, shares, userRates, origins, log, tracing } = options;
  const requests = createPlaces({
    maxStreams: CONNECTION_LIMITS.doorRequests.value,
    maxStreamsPerUser: CONNECTION_LIMITS.doorRequestsPerUser.value,
  });
  const listeners = createPlaces({
    maxStreams: CONNECTION_LIMITS.doorListeners.value,
    maxStreamsPerUser: CONNECTION_LIMITS.doorListenersPerUser.value,
  });

  const unreadAnswers = createUnreadAnswers();
  const running = createRunningCalls();

  const report = (error: unknown): string => {
    const errorId = randomUUID();
    log.error({ errorId, err: scrubDatabaseError(error) }, 'unexpected error at a door');
    return errorId;
  };

  const respond = async (c: Context<HttpEnv>): Promise<Response> => {
    const viewer = c.get('viewer');
    const request = readDoorRequest(c);
    await userRates.admitOperation(viewer);
    const opened = await shares.run(viewer, () => door.open(viewer, request), priceOfOpening);
    const read = await readMessage(c);
    if ('refused' in read) return read.refused;
    const { message } = read;
    // Each message of a batch is an operation. One was counted before the body was read.
    if (Array.isArray(message) && message.length > 1) await userRates.admitOperation(viewer, message.length - 1);
    const { method, id, params } = (message ?? {}) as { method?: unknown; id?: unknown; params?: unknown };
    if (method === 'notifications/cancelled') {
      running.cancel(c, (params as { requestId?: unknown } | null | undefined)?.requestId);
    }
    const isListening = method === 'subscriptions/listen';

    const { answerIfPlain, createDoorHandler } = await import('./door-handler.ts');
    const caller = viewerUserId(viewer) ?? '';
    if (unreadAnswers.isFull(caller)) throw tooMuchUnread();
    const leavePlace = (isListening ? listeners : requests).take(caller);
    const unread = unreadAnswers.share(caller);
    const leave = (): void => {
      leavePlace();
      unread.end();
    };
    const gone = new AbortController();
    const { outgoing }: Partial<HttpBindings> = c.env ?? {};
    followClient(c, gone);
    const revision = c.req.header('mcp-protocol-version');
    const inShare: DoorServerOptions['inShare'] = (work, priceOf) => shares.run(viewer, work, priceOf);
    const isGreeting = GREETINGS.has(method);
    const span = tracing && beginMessage(tracing, door, { message, revision });
    const within = span?.door ?? door;
    const serverOptions = { door: within, opened, version, revision, isGreeting, inShare, report };
    let stopFollowing: (() => void) | undefined;
    let closeHandler: (() => void) | undefined;
    const forget = id === undefined ? undefined : running.add(c, id, () => gone.abort());
    const end = (): void => {
      // An answer takes memory until its client has read it, and so keeps its place.
      if (outgoing === undefined || outgoing.closed) leave();
      else outgoing.once('close', leave);
      forget?.();
      stopFollowing?.();
      closeHandler?.();
      span?.end();
    };
    const counted = { unread, refusal: toUnreadRefusal(message), end };

    /** Lets an MCP server of the SDK answer. */
    const answerByLibrary = async (through: Door): Promise<Response> => {
      const handler = createDoorHandler({ ...serverOptions, door: through });
      closeHandler = () => {
        gone.abort();
        void handler.close();
      };
      if (isListening) {
        stopFollowing = await followList({
          events: iterate(streams.subscribe(viewer, {})),
          digest: () => shares.run(viewer, () => door.digest({ viewer, ...request })),
          onChange: () => handler.notify.toolsChanged(),
          onEnd: () => void handler.close(),
        });
      }
      return handler.fetch(toLibraryRequest(c, gone.signal), { parsedBody: message });
    };

    try {
      const options = { ...serverOptions, signal: gone.signal };
      const answered = (await answerIfPlain((name) => c.req.header(name), message, options)) ?? { door: within };
      if ('json' in answered) {
        outgoing?.setTimeout(REQUEST_LIMITS.stallTime.value);
        return countWhole(answered.json, PLAIN, counted);
      }
      const response = await answerByLibrary(answered.door);
      outgoing?.setTimeout(REQUEST_LIMITS.stallTime.value);
      return await countAnswer(response, counted);
    } catch (error) {
      end();
      throw error;
    }
  };

  const routes = new Hono<HttpEnv>();
  routes.on('POST', [...DOOR_PATHS], async (c) => {
    assertBearer(c);
    door.assertMayUse(c.get('viewer'));
    assertOrigin(c, origins);
    c.header('Cache-Control', 'no-store');
    return respond(c);
  });
  return routes;
}

/** Aborts when the client goes away before it has its answer. */
function followClient(c: Context<HttpEnv>, gone: AbortController): void {
  const { outgoing }: Partial<HttpBindings> = c.env ?? {};
  const abort = (): void => gone.abort();
  if (outgoing === undefined) c.req.raw.signal.addEventListener('abort', abort, { once: true });
  else if (outgoing.closed) abort();
  else {
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) abort();
    });
  }
}
