import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Callers choose operation names: after this many different ones the rest counts as `other`, and so do longer ones. */
const MAX_OPERATION_NAMES = 200;
const MAX_OPERATION_NAME_LENGTH = 100;

const DURATION_BUCKETS_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** How far the change feed is. */
interface FeedState {
  rev: bigint;
  databaseRev: bigint;
  isListening: boolean;
  verifiedMsAgo: number;
}

/** Counters, histograms and the registry they are in. */
export type Metrics = ReturnType<typeof createMetrics>;

/** What the gateway counts about itself, for Prometheus. */
export function createMetrics(poolUsage: () => { total: number; idle: number; waiting: number }) {
  const registry = new Registry();
  // Memory, CPU, event-loop delay (nodejs_eventloop_lag_*), garbage collection, open handles.
  collectDefaultMetrics({ register: registry });

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
  const openFailures = new Counter({
    name: 'gatehouse_sealed_value_open_failures_total',
    help: 'Sealed values that could not be opened, by column.',
    labelNames: ['table', 'column'] as const,
    registers: [registry],
  });
  new Gauge({
    name: 'gatehouse_database_connections',
    help: 'Connections of the database pool by state.',
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
    help: 'From the end of the transaction of a change until this process knew of it, by the clocks of both.',
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  });

  const streamEvents = new Counter({
    name: 'gatehouse_stream_events_total',
    help: 'Events that were made for clients of streams, by type.',
    labelNames: ['type'] as const,
    registers: [registry],
  });

  const names = new Set<string>();
  const toLabel = (name: string): string => {
    if (name.length > MAX_OPERATION_NAME_LENGTH) return 'other';
    if (!names.has(name) && names.size >= MAX_OPERATION_NAMES) return 'other';
    names.add(name);
    return name;
  };

  return {
    registry,
    countOperation(args: { name: string; type: string; outcome: string; seconds: number }): void {
      const operation = toLabel(args.name);
      operations.inc({ operation, type: args.type, outcome: args.outcome });
      operationSeconds.observe({ operation, type: args.type }, args.seconds);
    },
    countRequest(args: { method: string; route: string; status: number; seconds: number }): void {
      requests.observe({ method: args.method, route: args.route, status: args.status }, args.seconds);
    },
    observeFeedDelay(delayMs: number): void {
      feedDelays.observe(Math.max(delayMs, 0) / 1_000);
    },
    countStreamEvent(type: string): void {
      streamEvents.inc({ type });
    },
    /** Tells how far the change feed is whenever somebody asks. */
    watchFeed(readStatus: () => FeedState): void {
      const gauges = {
        gatehouse_change_feed_revision: ['Newest change that this process has.', ({ rev }: FeedState) => Number(rev)],
        gatehouse_change_feed_unread: [
          'Changes that the database had, when it was last asked, and this process has not yet.',
          ({ rev, databaseRev }: FeedState) => Math.max(Number(databaseRev - rev), 0),
        ],
        gatehouse_change_feed_listening: [
          'Whether notifications come; without them the database is asked before memory is used.',
          ({ isListening }: FeedState) => Number(isListening),
        ],
        gatehouse_change_feed_verified_age_seconds: [
          'Since the database was last asked and nothing was left to read.',
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
    /** Tells how many clients follow whenever somebody asks. */
    watchStreams({ streams, sockets }: { streams: () => number; sockets: () => number }): void {
      new Gauge({
        name: 'gatehouse_streams',
        help: 'Streams of events that are open, over server-sent events and WebSocket.',
        registers: [registry],
        collect() {
          this.set(streams());
        },
      });
      new Gauge({
        name: 'gatehouse_websockets',
        help: 'WebSocket connections that are open.',
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
