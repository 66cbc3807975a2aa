import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Callers choose operation names. Beyond this many distinct names, or this length, operations count as `other`. */
const MAX_OPERATION_NAMES = 200;
/** Servers come and go. Those whose tools were called first have series of their own. */
const MAX_SERVERS = 500;
const MAX_LABEL_LENGTH = 100;

const DURATION_BUCKETS_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const CALL_BUCKETS_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

/** The state of the change feed. */
interface FeedState {
  rev: bigint;
  databaseRev: bigint;
  isListening: boolean;
  verifiedMsAgo: number;
}

/** The metrics and their registry. */
export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Memory, CPU, event-loop delay (nodejs_eventloop_lag_*), garbage collection, open handles. What observes the process has no
 * end, so there is one of it, however many gateways a process opens.
 */
let ofProcess: Registry | undefined;

function observeProcess(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** Creates the gateway's Prometheus metrics. */
export function createMetrics(poolUsage: () => { total: number; idle: number; waiting: number }) {
  const registry = new Registry();
  const processRegistry = observeProcess();

  const operations = new Counter({
    name: 'gatehouse_graphql_operations_total',
    help: 'GraphQL operations by name, type and outcome (ok, or the first error code).',
    labelNames: ['operation', 'type', 'outcome'] as const,
    registers: [registry],
  });
  const operationSeconds = new Histogram({
    name: 'gatehouse_graphql_operation_duration_seconds',
    help: 'Duration of GraphQL operations.',
    labelNames: ['operation', 'type'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  });
  const requests = new Histogram({
    name: 'gatehouse_http_request_duration_seconds',
    help: 'Duration of HTTP requests by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  });
  const repeats = new Counter({
    name: 'gatehouse_http_repeats_total',
    help: 'Requests that got the answer of the same request before, because nothing has changed since.',
    registers: [registry],
  });
  const openFailures = new Counter({
    name: 'gatehouse_sealed_value_open_failures_total',
    help: 'Sealed values that failed to open, by column.',
    labelNames: ['table', 'column'] as const,
    registers: [registry],
  });
  new Gauge({
    name: 'gatehouse_database_connections',
    help: 'Database pool connections by state.',
    labelNames: ['state'] as const,
    registers: [registry],
    collect() {
      const { total, idle, waiting } = poolUsage();
      this.set({ state: 'busy' }, total - idle);
      this.set({ state: 'idle' }, idle);
      this.set({ state: 'waiting' }, waiting);
    },
  });

  const feedDelays = new Histogram({
    name: 'gatehouse_change_feed_delay_seconds',
    help: 'Time from the commit of a change to its arrival in this process, measured by the clocks of both.',
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  });

  const streamEvents = new Counter({
    name: 'gatehouse_stream_events_total',
    help: 'Events generated for stream subscribers, by type.',
    labelNames: ['type'] as const,
    registers: [registry],
  });

  const toolCalls = new Counter({
    name: 'gatehouse_mcp_tool_calls_total',
    help: 'Tool calls by server and outcome (success, tool_error, denied, failed).',
    labelNames: ['server', 'outcome'] as const,
    registers: [registry],
  });
  const toolCallSeconds = new Histogram({
    name: 'gatehouse_mcp_tool_call_duration_seconds',
    help: 'Duration of tool calls by server, without those that were denied.',
    labelNames: ['server'] as const,
    buckets: CALL_BUCKETS_SECONDS,
    registers: [registry],
  });

  const toOperationLabel = createLabels(MAX_OPERATION_NAMES);
  const toServerLabel = createLabels(MAX_SERVERS);

  return {
    /** The media type of the text. */
    contentType: registry.contentType,
    /** All metrics as Prometheus reads them. */
    format: (): Promise<string> => Registry.merge([processRegistry, registry]).metrics(),
    countOperation(args: { name: string; type: string; outcome: string; seconds: number }): void {
      const operation = toOperationLabel(args.name);
      operations.inc({ operation, type: args.type, outcome: args.outcome });
      operationSeconds.observe({ operation, type: args.type }, args.seconds);
    },
    countRequest(args: { method: string; route: string; status: number; seconds: number }): void {
      requests.observe({ method: args.method, route: args.route, status: args.status }, args.seconds);
    },
    countRepeat(): void {
      repeats.inc();
    },
    observeFeedDelay(delayMs: number): void {
      feedDelays.observe(Math.max(delayMs, 0) / 1_000);
    },
    countStreamEvent(type: string): void {
      streamEvents.inc({ type });
    },
    countToolCall(args: { server: string; outcome: string; seconds: number }): void {
      const server = toServerLabel(args.server);
      toolCalls.inc({ server, outcome: args.outcome });
      if (args.outcome !== 'denied') toolCallSeconds.observe({ server }, args.seconds);
    },
    /** Registers gauges of the change feed, which are read at each scrape. */
    watchFeed(readStatus: () => FeedState): void {
      const gauges = {
        gatehouse_change_feed_revision: [
          'Latest revision that this process has received.',
          ({ rev }: FeedState) => Number(rev),
        ],
        gatehouse_change_feed_unread: [
          'Changes in the database, as of the last query, that this process has not received yet.',
          ({ rev, databaseRev }: FeedState) => Math.max(Number(databaseRev - rev), 0),
        ],
        gatehouse_change_feed_listening: [
          '1 while database notifications arrive; otherwise the database is queried before caches are used.',
          ({ isListening }: FeedState) => Number(isListening),
        ],
        gatehouse_change_feed_verified_age_seconds: [
          'Time since a query last confirmed that this process has all changes.',
          ({ verifiedMsAgo }: FeedState) => verifiedMsAgo / 1_000,
        ],
      } as const;
      for (const [name, [help, read]] of Object.entries(gauges)) {
        new Gauge({
          name,
          help,
          registers: [registry],
          collect() {
            this.set(read(readStatus()));
          },
        });
      }
    },
    /** Registers gauges of what is kept in memory, which are read at each scrape. */
    watchCaches(readStatus: () => readonly { name: string; bytes: number; entries: number }[]): void {
      new Gauge({
        name: 'gatehouse_cache_entries',
        help: 'Entries that are kept in memory, by cache.',
        labelNames: ['cache'] as const,
        registers: [registry],
        collect() {
          for (const { name, entries } of readStatus()) this.set({ cache: name }, entries);
        },
      });
      new Gauge({
        name: 'gatehouse_cache_bytes',
        help: 'Estimated memory of what is cached, by cache.',
        labelNames: ['cache'] as const,
        registers: [registry],
        collect() {
          for (const { name, bytes } of readStatus()) this.set({ cache: name }, bytes);
        },
      });
    },
    /** Registers gauges of open streams and sockets, which are read at each scrape. */
    watchStreams({ streams, sockets }: { streams: () => number; sockets: () => number }): void {
      new Gauge({
        name: 'gatehouse_streams',
        help: 'Open event streams, over server-sent events and WebSocket.',
        registers: [registry],
        collect() {
          this.set(streams());
        },
      });
      new Gauge({
        name: 'gatehouse_websockets',
        help: 'Open WebSocket connections.',
        registers: [registry],
        collect() {
          this.set(sockets());
        },
      });
    },
    countOpenFailure(args: { table: string; column: string }): void {
      openFailures.inc(args);
    },
  };
}

/** Bounds the values of a label: each has series of its own, which last as long as the process. */
function createLabels(max: number): (name: string) => string {
  const names = new Set<string>();
  return (name) => {
    if (name.length > MAX_LABEL_LENGTH) return 'other';
    if (!names.has(name) && names.size >= max) return 'other';
    names.add(name);
    return name;
  };
}
