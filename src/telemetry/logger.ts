import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { currentRequest } from './request-scope.ts';
import { toLogFields } from './tracing.ts';

/** The logger. */
export type Logger = PinoLogger;

/** Values accidentally logged under these names are redacted. A `Secret` redacts itself. */
const REDACTED_PATHS = ['authorization', 'cookie', 'password', 'secret', 'token'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/**
 * Creates the gateway's logger: one JSON object per line, timestamps in ISO 8601.
 *
 * @param options.isTraced whether lines have the ids of the span in which they are written
 */
export function createLogger(
  level: string,
  { destination, isTraced = false }: { destination?: DestinationStream; isTraced?: boolean } = {},
): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
    timestamp: createIsoTime(),
    formatters: { level: (label: string) => ({ level: label }) },
    ...(isTraced && { mixin: () => toLogFields(currentRequest()?.span) }),
  };
  return pino(options, destination ?? createOutput());
}

/** Standard output. The lines of one turn of the event loop go there in one write, and all of them before the process exits. */
function createOutput(): DestinationStream & { flushSync(): void } {
  const output = pino.destination({ fd: 1, sync: true });
  let lines = '';
  const flush = (): void => {
    if (lines === '') return;
    const written = lines;
    lines = '';
    output.write(written);
  };
  process.on('exit', flush);
  return {
    write(line) {
      if (lines === '') setImmediate(flush);
      lines += line;
    },
    // A fatal line is not kept back.
    flushSync: flush,
  };
}

/** The time as a member of a line, made once for each millisecond. */
function createIsoTime(): () => string {
  let at = Number.NaN;
  let member = '';
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      member = `,"time":"${new Date(now).toISOString()}"`;
    }
    return member;
  };
}

/** A logger for lines with fixed fields, none of which is redacted: looking for them takes half of the time of a short line. */
export function forFixedFields(log: Logger): Logger {
  return log.child({}, { redact: [] });
}
