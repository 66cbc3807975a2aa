/** The trace of a caller, as the headers of a request or the `_meta` of a message carry it (W3C Trace Context and Baggage). */
export type TraceContext = Readonly<Partial<Record<'traceparent' | 'tracestate' | 'baggage', string>>>;

/** What is told of a span. What is undefined is left out, and texts are cut. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A piece of work that is recorded. There is none of what the sampler leaves out. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Where it is in its trace, for whoever is called. */
  readonly traceparent: string;
  /** What the caller said about the trace, for whoever is called. */
  readonly tracestate: string | undefined;
  set(attributes: SpanAttributes): void;
  rename(name: string): void;
  /** @param error the kind of the error, never its words. Undefined: there was none */
  end(error?: string): void;
}

/** The span around a piece of work. Null: the sampler left it out. Undefined: there is none. */
export type Surrounding = Span | null | undefined;

/** The beginning of a span. */
export interface SpanStart {
  name: string;
  kind: 'server' | 'client' | 'internal';
  attributes?: SpanAttributes;
  /** Whose trace it continues. */
  remote?: TraceContext | undefined;
  /** By `performance.now`. Default: now. */
  startedAt?: number | undefined;
}

/** Records spans. Where there is no tracing, there is no such object, and nothing is loaded for it. */
export interface Tracing {
  /** Begins what somebody asks the gateway for. The sampler decides. */
  begin(start: SpanStart): Span | null;
  /**
   * Begins a part of what `around` records. With `remote`, it is a part of that trace, and has a link to `around`. Null
   * where `around` is: the sampler decides once for a request.
   */
  beginWithin(around: Surrounding, start: SpanStart): Span | null;
  /** Sends what is recorded, for a few seconds at most. */
  close(): Promise<void>;
}

/** Does work in a span. @param findError the kind of error that a result, or an error, stands for */
export async function inSpan<Result>(
  span: Span,
  work: () => Promise<Result>,
  findError: (outcome: { result: Result } | { error: unknown }) => string | undefined,
): Promise<Result> {
  try {
    const result = await work();
    span.end(findError({ result }));
    return result;
  } catch (error) {
    span.end(findError({ error }) ?? '_OTHER');
    throw error;
  }
}

/** What tells whoever is called of the trace: the span that calls, or else the caller's own trace as it came. */
export function toTraceContext(span: Surrounding, given: TraceContext | undefined): TraceContext | undefined {
  if (span == null) return given;
  const { traceparent, tracestate } = span;
  const baggage = given?.baggage;
  return { traceparent, ...(tracestate !== undefined && { tracestate }), ...(baggage !== undefined && { baggage }) };
}

/** The ids of a span, as log lines have them. */
export function toLogFields(span: Surrounding): { trace_id?: string; span_id?: string } {
  return span == null ? {} : { trace_id: span.traceId, span_id: span.spanId };
}
