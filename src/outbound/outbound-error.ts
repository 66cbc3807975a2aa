/**
 * Why a request to another system failed. `url`: the URL is not allowed. `address`: the host's address is not allowed.
 * `redirect`, `encoding`, `size`: the response was rejected. `timeout`, `connection`: there was no response.
 */
export type OutboundFailure = 'url' | 'address' | 'timeout' | 'connection' | 'redirect' | 'encoding' | 'size';

/** A request to another system failed. The message has the host and the reason, never request or response data. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly failure: OutboundFailure;
  /** `host:port`, which the operator can add to GATEHOUSE_ALLOWED_PRIVATE_CIDRS to allow the request. */
  readonly setting: string | undefined;

  constructor(failure: OutboundFailure, message: string, options: ErrorOptions & { setting?: string } = {}) {
    super(message, options);
    this.failure = failure;
    this.setting = options.setting;
  }
}
