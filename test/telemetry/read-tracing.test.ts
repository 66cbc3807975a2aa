import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const TRACES_URL = 'http://collector:4318/v1/traces';

test.each([
  ['nothing', {}],
  ['only the name of the service', { OTEL_SERVICE_NAME: 'gatehouse', OTEL_TRACES_SAMPLER: 'always_on' }],
  ['the exporter none', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
  ['the SDK disabled', { ...ENDPOINT, OTEL_SDK_DISABLED: 'True' }],
  ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
])('%s: there is no tracing, and no warning', (_what, env) => {
  expect(readConfig(env)).toMatchObject({ tracing: undefined, warnings: [] });
});

test('an endpoint, or an exporter, starts it with the defaults of OpenTelemetry', () => {
  expect(readConfig(ENDPOINT).tracing).toEqual({
    ...{ url: TRACES_URL, protocol: 'http/protobuf', sampler: 'always_on', ratio: 1 },
    ...{ maxQueueSize: 2_048, maxExportBatchSize: 512, scheduledDelayMillis: 5_000, exportTimeoutMillis: 30_000 },
    tls: { ca: undefined, cert: undefined, key: undefined },
  });
  expect(readConfig({ OTEL_TRACES_EXPORTER: 'otlp' }).tracing?.url).toBe('http://localhost:4318/v1/traces');
  const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/base/' };
  expect(readConfig(base).tracing?.url).toBe('https://collector/base/v1/traces');
});

test('what is said for traces goes before what is said for all', () => {
  const { tracing } = readConfig({
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces/in',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/all.pem',
    OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: '/traces.pem',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
  });
  expect(tracing).toMatchObject({
    ...{ url: 'https://traces/in', protocol: 'http/json', tls: { ca: '/traces.pem' } },
    ...{ sampler: 'parentbased_traceidratio', ratio: 0.25, maxQueueSize: 100 },
  });
});

test.each([
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /^OTEL_EXPORTER_OTLP_PROTOCOL: only http\/protobuf and http\/json are/],
  [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /^OTEL_TRACES_EXPORTER: only otlp and none are known/],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, /^OTEL_EXPORTER_OTLP_ENDPOINT: is not a URL/],
])('what cannot be done is a warning, and there is no tracing: %j', (env, warning) => {
  const { tracing, warnings } = readConfig({ ...ENDPOINT, ...env });
  expect(tracing).toBeUndefined();
  expect(warnings).toEqual([expect.stringMatching(warning)]);
});

test('wrong numbers and samplers are warnings, and count as the default', () => {
  const { tracing, warnings } = readConfig({
    ...ENDPOINT,
    OTEL_TRACES_SAMPLER: 'jaeger_remote',
    OTEL_TRACES_SAMPLER_ARG: '7',
    OTEL_BSP_MAX_QUEUE_SIZE: '10000000',
    OTEL_BSP_SCHEDULE_DELAY: 'soon',
  });
  expect(tracing).toMatchObject({ sampler: 'always_on', ratio: 1, maxQueueSize: 2_048, scheduledDelayMillis: 5_000 });
  expect(warnings.map((each) => each.split(':')[0])).toEqual([
    ...['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG', 'OTEL_BSP_MAX_QUEUE_SIZE', 'OTEL_BSP_SCHEDULE_DELAY'],
  ]);
});
