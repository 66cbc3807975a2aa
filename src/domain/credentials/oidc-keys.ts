import { type CryptoKey, errors, type JWTVerifyGetKey, type LocalJWKSet } from 'jose';
import { OidcIssuerError } from './oidc-fetch.ts';

/** Older keys are fetched again in the background. */
const REFRESH_AFTER_MS = 5 * 60 * 1_000;
/** Older keys are not used. An issuer that cannot be reached cannot revoke a stolen key. */
const MAX_AGE_MS = 15 * 60 * 1_000;

/** Where the keys come from, and how often they may be fetched. */
export interface IssuerKeysOptions {
  /** @throws OidcIssuerError */
  load: () => Promise<LocalJWKSet>;
  now: () => Date;
  /** The minimum time between two loads, whether the first one failed or not. */
  cooldownMs: number;
  /** Called for each failed load. */
  onError: (error: OidcIssuerError) => void;
}

/** No keys are available for verification. The reason has already been reported. */
export class OidcKeysUnavailable extends Error {
  override readonly name = 'OidcKeysUnavailable';
}

/**
 * Finds the issuer's key for a token, from memory if possible. Only one load runs at a time. A cooldown limits requests
 * to the issuer when callers send made-up key ids, or any token while the issuer is down.
 *
 * jose's own remote key set has neither an injectable clock nor a cooldown after failure.
 *
 * @returns a function that throws OidcKeysUnavailable, or JOSEError when no key or more than one matches
 */
export function createIssuerKeys({ load, now, cooldownMs, onError }: IssuerKeysOptions): JWTVerifyGetKey<CryptoKey> {
  let loaded: { keys: LocalJWKSet; at: number } | undefined;
  let lastAttemptAt: number | undefined;
  let loading: Promise<void> | undefined;

  const isWithin = (at: number, durationMs: number): boolean => {
    const elapsedMs = now().getTime() - at;
    // Negative when the clock was set back. Waiting for it to catch up could take forever.
    return elapsedMs >= 0 && elapsedMs < durationMs;
  };

  const reload = async (): Promise<void> => {
    try {
      const keys = await load();
      loaded = { keys, at: now().getTime() };
    } catch (error) {
      onError(error instanceof OidcIssuerError ? error : new OidcIssuerError('the keys could not be loaded'));
    } finally {
      lastAttemptAt = now().getTime();
      loading = undefined;
    }
  };

  const refresh = async (): Promise<void> => {
    if (loading === undefined) {
      if (lastAttemptAt !== undefined && isWithin(lastAttemptAt, cooldownMs)) return;
      loading = reload();
    }
    await loading;
  };

  const usable = (): LocalJWKSet | undefined =>
    loaded !== undefined && isWithin(loaded.at, MAX_AGE_MS) ? loaded.keys : undefined;

  return async (header, token) => {
    if (loaded === undefined || !isWithin(loaded.at, REFRESH_AFTER_MS)) {
      const refreshed = refresh();
      if (usable() === undefined) await refreshed;
    }
    const keys = usable();
    if (keys === undefined) throw new OidcKeysUnavailable();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await refresh();
      const reloaded = usable();
      if (reloaded === undefined || reloaded === keys) throw error;
      return reloaded(header, token);
    }
  };
}
