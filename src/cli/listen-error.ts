import type { Config } from '../config.ts';
import { CommandError } from './failure.ts';

/** Tells the operator why the gateway cannot listen. @param error that of the socket */
export function explainListenError(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): CommandError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') return new CommandError(`Cannot listen on ${host}:${port}: ${message}`);
  return new CommandError(
    `Port ${port} on ${host} is already in use. Stop the process that uses it, or set PORT to another port.`,
  );
}
