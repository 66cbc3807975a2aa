import { DomainError } from '../../errors.ts';

/** How many there may be. */
export interface PlaceLimits {
  /** Of the process. */
  maxStreams: number;
  /** Of one user. */
  maxStreamsPerUser: number;
}

/** Counts what clients hold open, so that one of them cannot take all there is. */
export function createPlaces({ maxStreams, maxStreamsPerUser }: PlaceLimits) {
  const perUser = new Map<string, number>();
  let taken = 0;

  return {
    /**
     * Takes a place for a user.
     *
     * @returns gives it back; once, however often it is called
     * @throws RATE_LIMITED when there is none left, of all or of his
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

/** That there is no place left. */
export function tooMany(): DomainError {
  return new DomainError('RATE_LIMITED', 'There are too many streams; close some, or try again later.');
}
