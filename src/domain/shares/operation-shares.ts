import { DomainError } from '../../errors.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { meterProcessorTime } from '../../telemetry/processor-time.ts';
import { currentRequest } from '../../telemetry/request-scope.ts';
import { toClientNetwork } from './client-network.ts';
import { type BucketLimits, TokenBucket } from './token-bucket.ts';

/** What one caller may use at once. */
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
  maxRunning: 8,
  maxWaiting: 120,
  processor: { capacity: 500, perSecond: 500 },
  maxDebtMs: 500,
  activeMs: 1_000,
};

/** More callers than this are swept when a new one comes. */
const SWEEP_ABOVE = 1_000;
const MIN_WAIT_MS = 5;

/** A caller's share. */
interface Share {
  running: number;
  waiting: (() => void)[];
  bucket: TokenBucket;
  seenAt: number;
  timer: NodeJS.Timeout | undefined;
}

/** Lets each caller have a fair share of the process. */
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

  const sweep = (at: number): void => {
    if (shares.size <= SWEEP_ABOVE) return;
    for (const [name, share] of shares) {
      if (!isActive(share, at) && share.bucket.isFull(at)) shares.delete(name);
    }
  };

  const isActive = ({ running, waiting, seenAt }: Share, at: number): boolean =>
    running > 0 || waiting.length > 0 || at - seenAt < activeMs;

  const isAlone = (share: Share, at: number): boolean => {
    for (const other of shares.values()) if (other !== share && isActive(other, at)) return false;
    return true;
  };

  const findShare = (viewer: Viewer, at: number): Share => {
    const userId = viewerUserId(viewer);
    const name = userId === undefined ? `network ${toClientNetwork(currentRequest()?.address)}` : `user ${userId}`;
    const known = shares.get(name);
    if (known !== undefined) return known;
    sweep(at);
    const share = { running: 0, waiting: [], bucket: new TokenBucket(processor, at), seenAt: at, timer: undefined };
    shares.set(name, share);
    return share;
  };

  const charge = (share: Share, ms: number): void => {
    const at = clock();
    share.bucket.spend(at, Math.min(ms, share.bucket.level(at) + maxDebtMs));
  };

  const mayStart = (share: Share, at: number): boolean =>
    share.running < maxRunning && (share.bucket.level(at) > 0 || isAlone(share, at));

  /** Starts what waits, as far as it may, and otherwise looks again once there is processor time. */
  const startWaiting = (share: Share): void => {
    const at = clock();
    while (share.waiting.length > 0 && mayStart(share, at)) {
      share.running += 1;
      share.waiting.shift()?.();
    }
    if (share.waiting.length === 0 || share.running >= maxRunning || share.timer !== undefined) return;
    const waitMs = Math.max(MIN_WAIT_MS, (-share.bucket.level(at) / processor.perSecond) * 1_000);
    share.timer = setTimeout(() => {
      share.timer = undefined;
      startWaiting(share);
    }, waitMs).unref();
  };

  return {
    /**
     * Runs an operation of a caller, as soon as their share allows it.
     *
     * @throws RATE_LIMITED if too many of their operations wait already
     */
    async run<Result>(viewer: Viewer, work: () => Promise<Result>): Promise<Result> {
      const at = clock();
      const share = findShare(viewer, at);
      if (share.waiting.length === 0 && mayStart(share, at)) share.running += 1;
      else if (share.waiting.length >= maxWaiting) throw tooBusy(limits);
      else {
        await new Promise<void>((resolve) => {
          share.waiting.push(resolve);
          startWaiting(share);
        });
      }
      try {
        return await meter((ms) => charge(share, ms), work);
      } finally {
        share.running -= 1;
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
