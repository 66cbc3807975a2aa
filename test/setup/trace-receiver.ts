import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it was sent. */
export interface SentSpan {
  name: string;
  /** 1 internal, 2 server, 3 client. */
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  attributes: Record<string, string | number | boolean>;
  links: { traceId: string; spanId: string }[];
  /** 2: an error. */
  status: number;
}

/** A receiver of spans in OTLP/HTTP with JSON. Close it. */
export interface TraceReceiver {
  spans: SentSpan[];
  /** All that was sent, as text. */
  texts: string[];
  /** The settings of a gateway that sends spans here at once. */
  env: Record<string, string>;
  close(): void;
}

/** Starts a receiver on loopback. @param options.isSilent whether it never answers */
export async function startTraceReceiver({ isSilent = false } = {}): Promise<TraceReceiver> {
  const spans: SentSpan[] = [];
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    texts.push(body);
    if (isSilent) return;
    const { resourceSpans } = JSON.parse(body);
    for (const { scopeSpans } of resourceSpans) for (const each of scopeSpans) spans.push(...each.spans.map(toSpan));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    spans,
    texts,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '1',
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function toSpan({ parentSpanId, attributes = [], links = [], status = {}, ...rest }: any): SentSpan {
  const values = attributes.map(({ key, value }: any) => [key, value.stringValue ?? value.intValue ?? value.boolValue]);
  return {
    ...{ name: rest.name, kind: rest.kind, traceId: rest.traceId, spanId: rest.spanId },
    parentSpanId: parentSpanId || undefined,
    attributes: Object.fromEntries(values),
    links: links.map(({ traceId, spanId }: any) => ({ traceId, spanId })),
    status: status.code ?? 0,
  };
}
