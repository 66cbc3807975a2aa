import { DomainError } from '../../errors.ts';

/** The limits on open streams. */
export interface PlaceLimits {
  /** Per process. */
  maxStreams: number;
  /** Per user. */
  maxStreamsPerUser: number;
}

/** Counts open streams, so that one client cannot use up all of them. */
export function createPlaces({ maxStreams, maxStreamsPerUser }: PlaceLimits) {
  const perUser = new Map<string, number>();
  let taken = 0;

  return {
    /**
     * Reserves a stream for a user.
     *
     * @returns a function that releases it; further calls have no effect
     * @throws RATE_LIMITED when the process or the user is at the limit
     */
    take(userId: string): () => void {
      const own = perUser.get(userId) ?? 0;
      if (taken >= maxStreams || own >= maxStreamsPerUser) throw tooMany();
      perUser.set(userId, own + 1);
      taken += 1;
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        taken -= 1;
        const left = (perUser.get(userId) ?? 0) - 1;
        if (left > 0) perUser.set(userId, left);
        else perUser.delete(userId);
      };
    },
  };
}

/** The error for too many streams. */
export function tooMany(): DomainError {
  return new DomainError('RATE_LIMITED', 'Too many streams are open; close some, or try again later.');
}
