import { orAborted } from './abort.ts';
import type { createCircuit } from './circuit.ts';
import { createExchange } from './exchange.ts';
import { judgeAbort } from './judge-abort.ts';
import { UpstreamError } from './upstream-error.ts';
import { LISTEN_MS, MAX_LISTEN_BYTES } from './upstream-limits.ts';
import type { createUpstreamPool } from './upstream-pool.ts';
import type { UpstreamTarget } from './upstream-target.ts';

/** How hearing a server ended: by itself after its time, by the server, or the server does not tell. */
export type ListenEnd = 'expired' | 'ended' | 'unsupported';

/** Creates what hears from servers that their tools changed. It takes no place of an operation, and no time ends it early. */
export function createListen(options: {
  pool: ReturnType<typeof createUpstreamPool>;
  circuit: ReturnType<typeof createCircuit>;
}) {
  const { pool, circuit } = options;

  /**
   * Hears a server for a while. What it tells arrives at `onToolsChanged` of the pool.
   *
   * @param how.onOpen called when the server has agreed
   * @throws UpstreamError; whatever `target.authorize` throws
   */
  return async (target: UpstreamTarget, how: { signal: AbortSignal; onOpen: () => void }): Promise<ListenEnd> => {
    const paused = circuit.pause(`${target.configId} ${target.version}`);
    if (paused !== undefined) throw new UpstreamError('CIRCUIT_OPEN', { reason: paused.reason });
    const expiry = AbortSignal.timeout(LISTEN_MS);
    const signal = AbortSignal.any([how.signal, expiry]);
    const limits = { maxBytes: MAX_LISTEN_BYTES, maxSilenceMs: 0 };
    try {
      const credentials = await orAborted(target.authorize(), signal);
      return await pool.use({ target, credentials, signal, isAsking: false }, async ({ session, ended }) => {
        const { headers } = credentials;
        const exchange = createExchange({ headers, signal: ended, ...limits });
        const result = await session.listen(exchange, how.onOpen);
        exchange.signal.throwIfAborted();
        return result;
      });
    } catch (error) {
      if (expiry.aborted && !how.signal.aborted) return 'expired';
      if (error instanceof UpstreamError || !signal.aborted) throw error;
      throw judgeAbort(signal);
    }
  };
}
