import type { Exchange } from './exchange.ts';
import { createJsonMeter } from './json-meter.ts';
import { UpstreamError, type UpstreamProblem } from './upstream-error.ts';
import { MAX_ANSWER_DEPTH } from './upstream-limits.ts';

/** A stream that outlives its exchange may bring this many answers. Then the connection is made again. */
const MAX_ANSWERS_OF_STREAM = 16;

/** The media type of a stream of events. */
const EVENTS = /^\s*text\/event-stream/i;

/**
 * Creates what looks at the body of one response before anybody reads it: at its size, and at its depth.
 *
 * @param kind of an endless stream, only each answer and many of them together are limited
 * @param onFault learns why the rest is refused
 */
export function inspectAnswer(
  exchange: Exchange,
  { isEndless, onFault }: { isEndless: boolean; onFault: (fault: UpstreamError) => void },
): (type: string) => (chunk: Uint8Array) => void {
  const refuse = (problem: UpstreamProblem): UpstreamError => {
    const fault = new UpstreamError(problem);
    onFault(fault);
    return fault;
  };
  return (type) => {
    const meter = createJsonMeter(EVENTS.test(type));
    let bytes = 0;
    return (chunk) => {
      bytes += chunk.byteLength;
      exchange.bytes += chunk.byteLength;
      const measure = meter(chunk);
      const isTooLong = isEndless ? bytes > exchange.maxBytes * MAX_ANSWERS_OF_STREAM : isOver(exchange, bytes);
      if (isTooLong || measure.bytes > exchange.maxBytes) throw refuse('TOO_LARGE');
      if (exchange.budget?.take(chunk.byteLength) === false) throw refuse('BUSY');
      if (measure.depth > MAX_ANSWER_DEPTH) throw refuse('TOO_DEEP');
    };
  };
}

function isOver({ maxBytes, maxTotalBytes, bytes: total }: Exchange, bytes: number): boolean {
  return bytes > maxBytes || total > maxTotalBytes;
}
