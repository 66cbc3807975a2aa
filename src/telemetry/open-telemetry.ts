import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import {
  type Span as OtelSpan,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace as traceApi,
} from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Logger } from './logger.ts';
import type { Span, SpanAttributes, SpanStart, TraceContext, Tracing } from './tracing.ts';
import type { TracingSettings } from './tracing-settings.ts';

// The spans of OpenTelemetry. This is loaded only where there is tracing: nothing else imports the packages.

/** What callers write into attributes, such as names of operations, is cut here. */
const MAX_TEXT = 200;
/** An exporter that fails does so for every batch. */
const WARNING_MS = 60_000;
/** How long the last spans may take when the gateway stops. */
const CLOSE_TIMEOUT_MS = 3_000;

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

const PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Starts tracing. */
export function openTracing(settings: TracingSettings, { version, log }: { version: string; log: Logger }): Tracing {
  const { exporter, abandon } = createExporter(settings, log);
  const { maxQueueSize, maxExportBatchSize, scheduledDelayMillis, exportTimeoutMillis } = settings;
  const limits = { maxQueueSize, maxExportBatchSize, scheduledDelayMillis, exportTimeoutMillis };
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'gatehouse', 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    // What is left out has no span at all.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...limits })],
  });
  const tracer = provider.getTracer('gatehouse', version);
  const isSampled = createSampler(settings);
  const followsCallers = settings.sampler.startsWith('parentbased_');

  const begin: Tracing['begin'] = (start) => {
    const parent = readParent(start.remote);
    if (!isSampled(parent?.isSampled)) return null;
    return startSpan(tracer, start, { parent: parent?.context, tracestate: start.remote?.tracestate });
  };

  return {
    begin,
    beginWithin(around, start) {
      if (around === undefined) return begin(start);
      const parent = readParent(start.remote);
      // A caller whose word counts may have said so in the message only.
      if (around === null) return followsCallers && parent?.isSampled === true ? begin(start) : null;
      const within = toContext(around, false);
      if (parent === undefined) return startSpan(tracer, start, { parent: within, tracestate: around.tracestate });
      return startSpan(tracer, start, {
        ...{ parent: parent.context, linked: within },
        tracestate: start.remote?.tracestate,
      });
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const tooLong = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      });
      await Promise.race([provider.shutdown().catch(() => undefined), tooLong]);
      clearTimeout(timer);
      abandon();
    },
  };
}

/**
 * Decides whether a request is recorded. Only the samplers that follow their parent take the caller's word. The others
 * draw, also where a caller has named a trace: who chooses the number of a trace could choose one that is always recorded.
 */
function createSampler({ sampler, ratio }: TracingSettings): (callerSays: boolean | undefined) => boolean {
  const own = { always_on: 1, always_off: 0, traceidratio: ratio }[sampler.replace('parentbased_', '')] ?? 1;
  const draw = (): boolean => Math.random() < own;
  return sampler.startsWith('parentbased_') ? (callerSays) => callerSays ?? draw() : draw;
}

/** The place of a caller's span in its trace. Undefined if they say none. */
function readParent(remote: TraceContext | undefined): { context: SpanContext; isSampled: boolean } | undefined {
  const [, traceId, spanId, flags] = PARENT.exec(remote?.traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & TraceFlags.SAMPLED) !== 0;
  return { context: toContext({ traceId, spanId }, true), isSampled };
}

function toContext({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>, isRemote: boolean): SpanContext {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote };
}

function startSpan(
  tracer: Tracer,
  { name, kind, attributes = {}, startedAt }: SpanStart,
  place: {
    parent: SpanContext | undefined;
    /** A span of another trace that this one belongs to, too. */
    linked?: SpanContext;
    tracestate: string | undefined;
  },
): Span {
  const { parent, linked, tracestate } = place;
  const options = {
    kind: KINDS[kind],
    attributes: toBounded(attributes),
    ...(startedAt !== undefined && { startTime: startedAt }),
    ...(linked !== undefined && { links: [{ context: linked }] }),
  };
  const context = parent === undefined ? ROOT_CONTEXT : traceApi.setSpanContext(ROOT_CONTEXT, parent);
  return toSpan(tracer.startSpan(cut(name), options, context), tracestate);
}

function toSpan(span: OtelSpan, tracestate: string | undefined): Span {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    traceparent: `00-${traceId}-${spanId}-01`,
    tracestate,
    set: (attributes) => void span.setAttributes(toBounded(attributes)),
    rename: (name) => void span.updateName(cut(name)),
    end(error) {
      if (error !== undefined) {
        span.setAttribute('error.type', cut(error));
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

function toBounded(attributes: SpanAttributes): Record<string, string | number | boolean> {
  const bounded: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) bounded[name] = typeof value === 'string' ? cut(value) : value;
  }
  return bounded;
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT);
}

/** What sends spans, and a function that gives up what it is sending. Failures are logged now and then. */
function createExporter({ url, protocol, tls }: TracingSettings, log: Logger) {
  const { Agent } = url.startsWith('https:') ? https : http;
  const agent = new Agent({ keepAlive: true, ...readFiles(tls, log) });
  const Exporter = protocol === 'http/json' ? JsonExporter : ProtobufExporter;
  const inner = new Exporter({ url, httpAgentOptions: () => agent });
  let warnedAt = Number.NEGATIVE_INFINITY;
  let lost = 0;
  const note = ({ code, error }: ExportResult, count: number): void => {
    if (code === ExportResultCode.SUCCESS) return;
    lost += count;
    const now = performance.now();
    if (now - warnedAt < WARNING_MS) return;
    warnedAt = now;
    const { code: reason } = (error ?? {}) as { code?: unknown };
    log.warn({ spans: lost, ...(reason !== undefined && { reason: String(reason) }) }, 'spans cannot be sent');
    lost = 0;
  };
  const exporter: Pick<JsonExporter, 'export' | 'shutdown' | 'forceFlush'> = {
    export(spans, done) {
      inner.export(spans, (result) => {
        note(result, spans.length);
        done(result);
      });
    },
    shutdown: () => inner.shutdown(),
    forceFlush: () => inner.forceFlush(),
  };
  const abandon = (): void => {
    agent.destroy();
    // It would try again.
    Object.assign(agent, {
      createConnection() {
        throw new Error('the gateway has stopped');
      },
    });
  };
  return { exporter, abandon };
}

function readFiles(files: TracingSettings['tls'], log: Logger): https.AgentOptions {
  const read = (file: string | undefined): Buffer | undefined => {
    if (file === undefined) return undefined;
    try {
      return readFileSync(file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      log.warn({ code }, 'a file for the exporter of spans cannot be read');
      return undefined;
    }
  };
  const [ca, cert, key] = [read(files.ca), read(files.cert), read(files.key)];
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
