import { toRefusal } from '../../domain/door/tool-result.ts';
import { DomainError } from '../../errors.ts';
import { CONNECTION_LIMITS } from '../../limits/connection-limits.ts';

/** What one answer has taken of its caller's bytes. */
export interface UnreadShare {
  /** Takes some for a part of the answer. @returns whether the caller, and the process, have them */
  take(bytes: number): boolean;
  /** Gives some back: that part was read. */
  give(bytes: number): void;
  /** Gives back all that is left. Further calls have no effect. */
  end(): void;
}

/**
 * Creates the counts. An answer is in memory until its client has read it, so a client that reads nothing could fill the
 * memory by what it asks for. A caller's only answer always fits, however large servers' answers may be.
 */
export function createUnreadAnswers({
  perCaller = CONNECTION_LIMITS.unreadAnswersPerUser.value,
  inAll = CONNECTION_LIMITS.unreadAnswers.value,
}: {
  perCaller?: number;
  inAll?: number;
} = {}) {
  /** By caller, while there are any. */
  const perUser = new Map<string, number>();
  let all = 0;

  const add = (userId: string, bytes: number): void => {
    all += bytes;
    const own = (perUser.get(userId) ?? 0) + bytes;
    if (own > 0) perUser.set(userId, own);
    else perUser.delete(userId);
  };

  /** @param taken what the answer itself has already */
  const fits = (own: number, taken: number, bytes: number): boolean =>
    (own === taken || own + bytes <= perCaller) && (all === taken || all + bytes <= inAll);

  return {
    /** Whether a caller, or the process, has no bytes left. What would be answered then is better not begun. */
    isFull: (userId: string): boolean => (perUser.get(userId) ?? 0) >= perCaller || all >= inAll,

    /** Begins an answer. */
    share(userId: string): UnreadShare {
      let taken = 0;
      let hasEnded = false;
      return {
        take(bytes) {
          if (hasEnded || !fits(perUser.get(userId) ?? 0, taken, bytes)) return false;
          taken += bytes;
          add(userId, bytes);
          return true;
        },
        give(bytes) {
          const given = Math.min(bytes, taken);
          taken -= given;
          add(userId, -given);
        },
        end() {
          hasEnded = true;
          add(userId, -taken);
          taken = 0;
        },
      };
    },
  };
}

/** The answer to a request that comes while a caller has no bytes left. */
export function tooMuchUnread(): DomainError {
  const message = 'Too many answers have not been read yet. Read those first.';
  return new DomainError('RATE_LIMITED', message);
}

/**
 * What is sent in place of an answer that is dropped, as a message. Of a tool, it is a result, which a model reads.
 * Undefined if the request was not one message.
 */
export function toUnreadRefusal(request: unknown): string | undefined {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return undefined;
  const { id, method } = request as { id?: unknown; method?: unknown };
  const message =
    'Too many answers have not been read yet, so this one was dropped. What was called was done. Read the others first.';
  const part =
    method === 'tools/call'
      ? { result: { resultType: 'complete', ...toRefusal('RATE_LIMITED', message) } }
      : { error: { code: -32_603, message, data: { code: 'RATE_LIMITED' } } };
  return JSON.stringify({ jsonrpc: '2.0', id, ...part });
}
