/**
 * Why a request to another system failed. `url`: the URL is not allowed. `name`: the host has no address. `address`: it
 * has one that is not allowed. `tls`: TLS failed, usually because of the certificate. `timeout`, `connection`: there was
 * no response. `redirect`, `encoding`, `size`: the response was rejected.
 */
export type OutboundFailure =
  | 'url'
  | 'name'
  | 'address'
  | 'tls'
  | 'timeout'
  | 'connection'
  | 'redirect'
  | 'encoding'
  | 'size';

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
