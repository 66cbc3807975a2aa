import type { CacheStatus } from '../../cache/bounded-map.ts';
import { DomainError } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { meterProcessorTime } from '../../telemetry/processor-time.ts';
import { currentRequest } from '../../telemetry/request-scope.ts';
import { toClientNetwork } from './client-network.ts';
import { type BucketLimits, TokenBucket } from './token-bucket.ts';

/** The limits of one caller. */
export interface ShareLimits {
  maxRunning: number;
  /** Operations that wait for a running one to end, or for processor time. */
  maxWaiting: number;
  /** Milliseconds of processor time. Without any left, the caller's next operation waits while others are active. */
  processor: BucketLimits;
  /** How far one long operation can overdraw it, in milliseconds. */
  maxDebtMs: number;
  /** A caller is active during an operation and this long after it. */
  activeMs: number;
}

/** The limits of a gateway. In the long run, a caller gets half of the processor while others need it. */
export const SHARE_LIMITS: ShareLimits = {
  maxRunning: OPERATION_LIMITS.running.value,
  maxWaiting: OPERATION_LIMITS.waiting.value,
  processor: { capacity: OPERATION_LIMITS.processorBurst.value, perSecond: OPERATION_LIMITS.processorRate.value },
  maxDebtMs: OPERATION_LIMITS.processorDebt.value,
  activeMs: 1_000,
};

/** Above this number of callers, inactive ones are removed when a new one comes, but not for each of them. */
const SWEEP_ABOVE = 1_000;
/** When there are more active callers than this, the rest have one share together, which is one of them. */
const MAX_SHARES = CACHE_BOUNDS.shares.maxEntries - 1;
const OTHERS = 'others';
/** What an idle share needs in memory, with the caller's name. */
const SHARE_BYTES = 1_000;

const MIN_WAIT_MS = 5;

/** How much the newest operation counts in the average. */
const NEWEST_WEIGHT = 0.2;
/** For this long, an operation counts as one that still needs its average. Later, it has used it or waits for something. */
const STARTING_MS = 500;

interface Running {
  startedAt: number;
}

/** A caller's share. */
interface Share {
  running: Set<Running>;
  /** What an operation of this caller uses on average, in milliseconds. */
  averageMs: number;
  waiting: ((started: Running) => void)[];
  bucket: TokenBucket;
  seenAt: number;
  timer: NodeJS.Timeout | undefined;
}

/** Gives each caller a fair share of the process. */
export type OperationShares = ReturnType<typeof createOperationShares>;

/**
 * Creates the shares. A caller is a user, or the unknown callers of one network. Each has a queue of its own, so that
 * many or expensive operations of one delay only that one.
 *
 * @param clock in milliseconds, and how processor time is measured: for tests
 */
export function createOperationShares({
  limits = SHARE_LIMITS,
  clock = () => performance.now(),
  meter = meterProcessorTime,
}: {
  limits?: ShareLimits;
  clock?: () => number;
  meter?: typeof meterProcessorTime;
} = {}) {
  const { maxRunning, maxWaiting, processor, maxDebtMs, activeMs } = limits;
  const shares = new Map<string, Share>();

  let sweptAt = Number.NEGATIVE_INFINITY;

  const sweep = (at: number): void => {
    if (shares.size <= SWEEP_ABOVE || at - sweptAt < activeMs) return;
    sweptAt = at;
    for (const [name, share] of shares) {
      if (!isActive(share, at) && share.bucket.isFull(at)) shares.delete(name);
    }
  };

  const isActive = ({ running, waiting, seenAt }: Share, at: number): boolean =>
    running.size > 0 || waiting.length > 0 || at - seenAt < activeMs;

  const isAlone = (share: Share, at: number): boolean => {
    for (const other of shares.values()) if (other !== share && isActive(other, at)) return false;
    return true;
  };

  const findShare = (viewer: Viewer, at: number): Share => {
    const userId = viewerUserId(viewer);
    const own = userId === undefined ? `network ${toClientNetwork(currentRequest()?.address)}` : `user ${userId}`;
    const known = shares.get(own);
    if (known !== undefined) return known;
    sweep(at);
    const name = shares.size < MAX_SHARES ? own : OTHERS;
    const shared = shares.get(name);
    if (shared !== undefined) return shared;
    const bucket = new TokenBucket(processor, at);
    const share: Share = { running: new Set(), averageMs: 0, waiting: [], bucket, seenAt: at, timer: undefined };
    shares.set(name, share);
    return share;
  };

  const charge = (share: Share, ms: number): void => {
    const at = clock();
    share.bucket.spend(at, Math.min(ms, share.bucket.level(at) + maxDebtMs));
  };

  /** What is left if those that start now use as much as usual, so that many expensive ones do not start at once. */
  const expectedLevel = ({ bucket, running, averageMs }: Share, at: number): number =>
    bucket.level(at) - averageMs * [...running].filter(({ startedAt }) => at - startedAt < STARTING_MS).length;

  const mayStart = (share: Share, at: number): boolean =>
    share.running.size < maxRunning && (expectedLevel(share, at) > 0 || isAlone(share, at));

  const start = ({ running }: Share, startedAt: number): Running => {
    const started = { startedAt };
    running.add(started);
    return started;
  };

  /** Starts what waits, as far as it may, and otherwise looks again once there is processor time. */
  const startWaiting = (share: Share): void => {
    const at = clock();
    while (share.waiting.length > 0 && mayStart(share, at)) {
      share.waiting.shift()?.(start(share, at));
    }
    if (share.waiting.length === 0 || share.running.size >= maxRunning || share.timer !== undefined) return;
    const refillMs = (-expectedLevel(share, at) / processor.perSecond) * 1_000;
    const waitMs = Math.min(Math.max(refillMs, MIN_WAIT_MS), STARTING_MS);
    share.timer = setTimeout(() => {
      share.timer = undefined;
      startWaiting(share);
    }, waitMs).unref();
  };

  const waitIn = (share: Share): Promise<Running> => {
    if (share.waiting.length >= maxWaiting) throw tooBusy(limits);
    return new Promise((resolve) => {
      share.waiting.push(resolve);
      startWaiting(share);
    });
  };

  return {
    status: (): CacheStatus => ({ ...CACHE_BOUNDS.shares, entries: shares.size, bytes: shares.size * SHARE_BYTES }),

    /**
     * Runs an operation of a caller, as soon as their share allows it.
     *
     * @param priceOf what an operation costs whose cost is known, in milliseconds: to measure a short one costs more than the
     *   operation. It gets undefined for one that failed. Absent: the cost is measured
     * @throws RATE_LIMITED if too many of their operations wait already
     */
    async run<Result>(
      viewer: Viewer,
      work: () => Promise<Result>,
      priceOf?: (result: Result | undefined) => number,
    ): Promise<Result> {
      const at = clock();
      const share = findShare(viewer, at);
      const started = share.waiting.length === 0 && mayStart(share, at) ? start(share, at) : await waitIn(share);
      let spentMs = 0;
      const spend = (ms: number): void => {
        spentMs += ms;
        charge(share, ms);
      };
      let price: number | undefined;
      try {
        if (priceOf === undefined) return await meter(spend, work);
        const result = await work();
        price = priceOf(result);
        return result;
      } finally {
        if (priceOf !== undefined) spend(price ?? priceOf(undefined));
        share.running.delete(started);
        share.averageMs += NEWEST_WEIGHT * (spentMs - share.averageMs);
        share.seenAt = clock();
        startWaiting(share);
      }
    },
  };
}

function tooBusy({ maxRunning, maxWaiting }: ShareLimits): DomainError {
  const message = `You already have ${maxRunning} operations running and ${maxWaiting} waiting. Wait for their answers, then try again.`;
  return new DomainError('RATE_LIMITED', message);
}
