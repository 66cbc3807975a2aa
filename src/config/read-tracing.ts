import { SAMPLERS, TRACE_PROTOCOLS, type TracingSettings } from '../telemetry/tracing-settings.ts';
import type { SettingReader } from './setting-reader.ts';

/** Where a collector listens by default, for HTTP. */
const DEFAULT_ENDPOINT = 'http://localhost:4318';
const TRACES_PATH = 'v1/traces';

/** More than any collector needs. A span takes a few kilobytes while it waits. */
const MOST_SPANS = 65_536;
const MOST_MS = 600_000;

/** The spans that wait, and how they are sent: the variables of OpenTelemetry, with its defaults. */
const NUMBERS = {
  maxQueueSize: { name: 'OTEL_BSP_MAX_QUEUE_SIZE', most: MOST_SPANS, byDefault: 2_048 },
  maxExportBatchSize: { name: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', most: MOST_SPANS, byDefault: 512 },
  scheduledDelayMillis: { name: 'OTEL_BSP_SCHEDULE_DELAY', most: MOST_MS, byDefault: 5_000 },
  exportTimeoutMillis: { name: 'OTEL_BSP_EXPORT_TIMEOUT', most: MOST_MS, byDefault: 30_000 },
} as const;

/**
 * Reads the variables of OpenTelemetry. Undefined: there is no tracing. These variables are often set for all programs of
 * a machine, so what is wrong with them is a warning and never keeps the gateway from starting.
 */
export function readTracing(reader: SettingReader, warnings: string[]): TracingSettings | undefined {
  const { text } = reader;
  const endpoint = readEndpoint(reader);
  const exporter = text('OTEL_TRACES_EXPORTER');
  const isDisabled = text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  if (isDisabled || exporter === 'none' || (endpoint === undefined && exporter === undefined)) return undefined;
  const off = (name: string, problem: string): undefined => {
    warnings.push(`${name}: ${problem} There are no traces.`);
  };
  if (exporter !== undefined && exporter !== 'otlp')
    return off('OTEL_TRACES_EXPORTER', 'only otlp and none are known.');
  const protocolName = text('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? text('OTEL_EXPORTER_OTLP_PROTOCOL');
  const protocol = TRACE_PROTOCOLS.find((each) => each === (protocolName ?? 'http/protobuf'));
  if (protocol === undefined) {
    return off('OTEL_EXPORTER_OTLP_PROTOCOL', `only ${TRACE_PROTOCOLS.join(' and ')} are known.`);
  }
  const url = endpoint ?? `${DEFAULT_ENDPOINT}/${TRACES_PATH}`;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    return off('OTEL_EXPORTER_OTLP_ENDPOINT', 'is not a URL such as http://localhost:4318.');
  }
  const file = (name: string): string | undefined =>
    text(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? text(`OTEL_EXPORTER_OTLP_${name}`);
  const tls = { ca: file('CERTIFICATE'), cert: file('CLIENT_CERTIFICATE'), key: file('CLIENT_KEY') };
  return { url, protocol, tls, ...readSampler(reader, warnings), ...readNumbers(reader, warnings) };
}

function readEndpoint({ text }: SettingReader): string | undefined {
  const whole = text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const base = text('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (whole !== undefined) return whole;
  return base === undefined ? undefined : `${base.replace(/\/$/, '')}/${TRACES_PATH}`;
}

function readSampler({ text }: SettingReader, warnings: string[]): Pick<TracingSettings, 'sampler' | 'ratio'> {
  const given = text('OTEL_TRACES_SAMPLER');
  const sampler = SAMPLERS.find((each) => each === given);
  if (given !== undefined && sampler === undefined) {
    warnings.push(`OTEL_TRACES_SAMPLER: is none of ${SAMPLERS.join(', ')}. All requests are in traces.`);
  }
  const ratioText = text('OTEL_TRACES_SAMPLER_ARG');
  const ratio = Number(ratioText ?? 1);
  const isRatio = ratio >= 0 && ratio <= 1;
  if (!isRatio) warnings.push('OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1. It counts as 1.');
  return { sampler: sampler ?? 'always_on', ratio: isRatio ? ratio : 1 };
}

function readNumbers({ text }: SettingReader, warnings: string[]): Record<keyof typeof NUMBERS, number> {
  const entries = Object.entries(NUMBERS).map(([key, { name, most, byDefault }]) => {
    const given = text(name);
    const value = given === undefined ? byDefault : Number(given);
    if (Number.isInteger(value) && value >= 1 && value <= most) return [key, value];
    warnings.push(`${name}: must be a whole number from 1 to ${most}. It counts as ${byDefault}.`);
    return [key, byDefault];
  });
  return Object.fromEntries(entries);
}
