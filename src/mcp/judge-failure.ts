import { ProtocolError, SdkError, SdkErrorCode, UnsupportedProtocolVersionError } from '@modelcontextprotocol/client';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { Exchange } from './exchange.ts';
import { judgeAbort } from './judge-abort.ts';
import { toUpstreamError } from './outbound-problem.ts';
import { UpstreamError } from './upstream-error.ts';
import { readUrlElicitations, URL_ELICITATION_REQUIRED } from './url-elicitation.ts';

/** JSON-RPC's code for a revision that the server does not speak (MCP 2026-07-28). */
const UNSUPPORTED_REVISION = -32_022;

/**
 * Says in our own words why an exchange failed. What happened below JSON-RPC explains more than the SDK's error, whose
 * text may contain what the server sent.
 */
export function judgeFailure(error: unknown, exchange: Exchange): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const { signal, fault } = exchange;
  if (signal.aborted) return judgeAbort(signal);
  if (fault !== undefined) return fault;
  if (error instanceof OutboundError) return toUpstreamError(error);
  if (isRevisionError(error)) return new UpstreamError('PROTOCOL_REVISION');
  if (error instanceof ProtocolError && error.code === URL_ELICITATION_REQUIRED) {
    const elicitations = readUrlElicitations(error.data);
    if (elicitations.length > 0) return new UpstreamError('URL_ELICITATION_REQUIRED', { elicitations });
  }
  if (error instanceof ProtocolError) return new UpstreamError('REFUSED', { rpcCode: error.code });
  if (error instanceof SdkError) {
    if (error.code === SdkErrorCode.RequestTimeout) return new UpstreamError('TIMEOUT');
    if (error.code === SdkErrorCode.UnsupportedResultType && isInputRequired(error.data)) {
      return new UpstreamError('INPUT_REQUIRED');
    }
    if (error.code === SdkErrorCode.ConnectionClosed || error.code === SdkErrorCode.NotConnected) {
      return new UpstreamError('CONNECTION_FAILED');
    }
  }
  return new UpstreamError('PROTOCOL_ERROR');
}

function isInputRequired(data: unknown): boolean {
  return (data as { resultType?: unknown } | undefined)?.resultType === 'input_required';
}

function isRevisionError(error: unknown): boolean {
  if (error instanceof UnsupportedProtocolVersionError) return true;
  if (error instanceof ProtocolError) return error.code === UNSUPPORTED_REVISION;
  // The SDK throws a plain error for an answer to `initialize` with a revision that it does not know.
  return error instanceof Error && error.message.startsWith("Server's protocol version is not supported");
}
