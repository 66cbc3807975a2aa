/** The samplers of OpenTelemetry that can be chosen. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** The protocols in which spans can be sent. */
export const TRACE_PROTOCOLS = ['http/protobuf', 'http/json'] as const;

/** How spans are recorded and sent. Headers, the time limit and compression are for the exporter, which reads them itself. */
export interface TracingSettings {
  /** Where spans are sent, with its path. */
  url: string;
  protocol: (typeof TRACE_PROTOCOLS)[number];
  sampler: (typeof SAMPLERS)[number];
  /** From 0 to 1, for the samplers by ratio. */
  ratio: number;
  /** Spans that wait to be sent. More are dropped. */
  maxQueueSize: number;
  maxExportBatchSize: number;
  scheduledDelayMillis: number;
  exportTimeoutMillis: number;
  /** The paths of files: authorities, and the certificate and key of the gateway. */
  tls: { ca: string | undefined; cert: string | undefined; key: string | undefined };
}
