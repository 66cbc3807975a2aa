import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

/** The log. */
export type Logger = PinoLogger;

/** Whatever a caller logs by mistake under these names does not come out. `Secret`s print as redacted by themselves. */
const REDACTED_PATHS = ['authorization', 'cookie', 'password', 'secret', 'token'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/** The gateway's log: one JSON object a line, times in ISO 8601. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
