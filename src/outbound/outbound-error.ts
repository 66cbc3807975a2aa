/**
 * Why a call to another system failed. `address`: it leads where the gateway may not go. `url`: not one that it calls.
 * `redirect`, `encoding`, `size`: the answer is not one that it takes. `timeout`, `connection`: there was none.
 */
export type OutboundFailure = 'url' | 'address' | 'timeout' | 'connection' | 'redirect' | 'encoding' | 'size';

/** A call to another system failed. The message names the host and the reason, never what was sent or answered. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly failure: OutboundFailure;

  constructor(failure: OutboundFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}
