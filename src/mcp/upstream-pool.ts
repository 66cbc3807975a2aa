import { setMaxListeners } from 'node:events';
import type { StreamConnection } from '../outbound/stream-fetch.ts';
import { followSignals, orAborted } from './abort.ts';
import { createExchange } from './exchange.ts';
import { openSession } from './open-session.ts';
import { createRevisionMemory } from './revision-memory.ts';
import { UpstreamError } from './upstream-error.ts';
import {
  CONNECT_TIMEOUT_MS,
  END_SESSION_TIMEOUT_MS,
  IDLE_MS,
  MAX_CONNECTIONS,
  MAX_IDLE_CONNECTIONS,
  MAX_NOTICE_BYTES,
  RENEW_AFTER_USES,
} from './upstream-limits.ts';
import type { ClientIdentity, UpstreamSession } from './upstream-session.ts';
import type { OnToolsChanged, UpstreamCredentials, UpstreamTarget } from './upstream-target.ts';

interface Entry {
  readonly target: UpstreamTarget;
  readonly grant: string;
  readonly connection: StreamConnection;
  /** Ends what uses the connection. */
  readonly end: AbortController;
  opening: Promise<UpstreamSession> | undefined;
  session: UpstreamSession | undefined;
  /** Whether an operation used the session before. */
  wasUsed: boolean;
  users: number;
  /** Operations so far. */
  uses: number;
  timer: NodeJS.Timeout | undefined;
}

/** A lent connection. */
interface Lent {
  session: UpstreamSession;
  /** Whether an earlier operation used it, so that the server may have forgotten it. */
  wasUsed: boolean;
  /** Ends with the operation's signal, and with the connection. */
  ended: AbortSignal;
}

/**
 * Creates the pool. A connection belongs to one server, one version of its config, one user (or all, if the credentials
 * are those of the config) and one grant of that user. It is never used for another one.
 *
 * @param connect creates what sends the requests of one connection
 */
export function createUpstreamPool(options: {
  connect: () => StreamConnection;
  identity: ClientIdentity;
  maxAnswerBytes: number;
  onToolsChanged: OnToolsChanged;
  clock: () => number;
  renewAfterUses?: number | undefined;
}) {
  const { connect, identity, maxAnswerBytes, onToolsChanged, clock, renewAfterUses = RENEW_AFTER_USES } = options;
  /** In the order of their last use. */
  const entries = new Map<string, Entry>();
  /** Also those that no new operation gets, but that some still use. */
  const all = new Map<Entry, string>();
  const revisions = createRevisionMemory(clock);

  const remove = async (key: string, entry: Entry): Promise<void> => {
    if (entries.get(key) === entry) entries.delete(key);
    all.delete(entry);
    clearTimeout(entry.timer);
    entry.end.abort(new UpstreamError('CLOSED'));
    await entry.session?.close();
    entry.connection.close();
  };

  /** Closes what nobody uses, and tells the server. */
  const retire = async (key: string, entry: Entry): Promise<void> => {
    if (entries.get(key) === entry) entries.delete(key);
    clearTimeout(entry.timer);
    const { session, target, end } = entry;
    if (session?.hasSession === true && !session.isEnded) {
      const credentials = await target.authorize().catch(() => undefined);
      const signal = AbortSignal.any([end.signal, AbortSignal.timeout(END_SESSION_TIMEOUT_MS)]);
      // Credentials of another grant are not for this session.
      if (credentials?.grant === entry.grant) {
        await session.endSession(createExchange({ ...credentials, signal, maxBytes: MAX_NOTICE_BYTES }));
      }
    }
    await remove(key, entry);
  };

  const makeRoom = (): void => {
    const idle = [...entries].filter(([, { users }]) => users === 0);
    const surplus = Math.max(idle.length - MAX_IDLE_CONNECTIONS, entries.size - MAX_CONNECTIONS + 1, 0);
    for (const [key, entry] of idle.slice(0, surplus)) void retire(key, entry);
    if (entries.size >= MAX_CONNECTIONS) throw new UpstreamError('BUSY');
  };

  /** Closes the connections of earlier versions and grants. Those in use end with their operations. */
  const replace = ({ configId, owner, version }: UpstreamTarget): void => {
    for (const [key, entry] of entries) {
      const { target, users } = entry;
      if (target.configId !== configId || target.owner !== owner || target.version > version) continue;
      entries.delete(key);
      if (users === 0) void retire(key, entry);
    }
  };

  const find = (key: string, target: UpstreamTarget, { grant }: UpstreamCredentials): Entry => {
    let entry = entries.get(key);
    if (entry !== undefined && entry.uses >= renewAfterUses) {
      // Those in use end with their operations.
      entries.delete(key);
      if (entry.users === 0) void retire(key, entry);
      entry = undefined;
    }
    if (entry === undefined) {
      replace(target);
      makeRoom();
      const state = { opening: undefined, session: undefined, wasUsed: false, users: 0, uses: 0, timer: undefined };
      entry = { target, grant, connection: connect(), end: new AbortController(), ...state };
      // Each operation follows it.
      setMaxListeners(0, entry.end.signal);
    }
    // To the end: retired last.
    entries.delete(key);
    entries.set(key, entry);
    all.set(entry, key);
    return entry;
  };

  const open = (entry: Entry, { headers }: UpstreamCredentials, isAsking: boolean): Promise<UpstreamSession> => {
    const { target, connection, end } = entry;
    // Not the signal of one operation: others may wait for the same connection.
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    const exchange = createExchange({ headers, signal, maxBytes: maxAnswerBytes });
    const opening = openSession(exchange, {
      url: target.url,
      transport: target.transport,
      connection,
      identity,
      prior: isAsking ? undefined : revisions.find(target),
      onToolsChanged: () => onToolsChanged(target),
    });
    entry.opening = opening;
    entry.session = undefined;
    entry.wasUsed = false;
    opening.then(
      (session) => {
        entry.session = session;
        revisions.remember(target, session.verdict);
        if (end.signal.aborted) void session.close();
      },
      () => {
        if (entry.opening === opening) entry.opening = undefined;
      },
    );
    return opening;
  };

  const giveBack = (key: string, entry: Entry): void => {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (entries.get(key) !== entry) void retire(key, entry);
    else entry.timer = setTimeout(() => void retire(key, entry), IDLE_MS).unref();
  };

  return {
    /**
     * Lends a connection, and takes it back when the work ends.
     *
     * @param isAsking asks the server for its revision when it connects, whatever is remembered
     * @throws UpstreamError, the signal's reason, and whatever the work throws
     */
    async use<Result>(
      { target, credentials, signal, isAsking }: PoolUse,
      work: (lent: Lent) => Promise<Result>,
    ): Promise<Result> {
      const key = JSON.stringify([target.configId, target.version, target.owner, credentials.grant]);
      const entry = find(key, target, credentials);
      clearTimeout(entry.timer);
      entry.users += 1;
      entry.uses += 1;
      const { signal: ended, end } = followSignals(signal, entry.end.signal);
      try {
        if (findOpening(entry) === undefined) await confirm(target, ended);
        const session = await orAborted(findOpening(entry) ?? open(entry, credentials, isAsking), signal);
        // From here on, what ends the connection ends the operation.
        await confirm(target, ended);
        const { wasUsed } = entry;
        entry.wasUsed = true;
        return await work({ session, wasUsed, ended });
      } finally {
        end();
        giveBack(key, entry);
      }
    },

    /** Makes the next operation connect anew, and forgets the server's revision. */
    async renew(target: UpstreamTarget, session: UpstreamSession): Promise<void> {
      revisions.forget(target);
      await session.close();
    },

    /** Ends the connections that are meant, and the operations that use them. */
    async close(isMeant: (entry: Pick<Entry, 'target' | 'grant'>) => boolean): Promise<void> {
      const meant = [...all].filter(([entry]) => isMeant(entry));
      await Promise.all(meant.map(([entry, key]) => remove(key, entry)));
    },

    /** Whether there is a connection of this owner. */
    has: (configId: string, owner: string): boolean =>
      [...all.keys()].some(({ target }) => target.configId === configId && target.owner === owner),

    /** How many connections there are. */
    count: (): { open: number; idle: number } => ({
      open: entries.size,
      idle: [...entries.values()].filter(({ users }) => users === 0).length,
    }),
  };
}

function findOpening({ opening, session }: Entry): Promise<UpstreamSession> | undefined {
  return session?.isEnded === true ? undefined : opening;
}

/** @throws what `confirm` of the target throws, and the signal's reason */
async function confirm(target: UpstreamTarget, signal: AbortSignal): Promise<void> {
  if (target.confirm !== undefined) await orAborted(target.confirm(), signal);
  signal.throwIfAborted();
}

/** What a connection is lent for. */
interface PoolUse {
  target: UpstreamTarget;
  credentials: UpstreamCredentials;
  signal: AbortSignal;
  isAsking: boolean;
}
