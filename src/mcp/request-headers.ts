import type { Exchange } from './exchange.ts';

/** Names of headers that belong to the protocol. A stored header with such a name is not sent. */
const PROTOCOL_HEADERS =
  /^(?:accept|accept-encoding|connection|content-length|content-type|host|last-event-id|mcp-.*)$/;

/**
 * The headers of a request: those of the protocol, and the credentials of its exchange.
 *
 * @param own with names in small letters
 */
export function toRequestHeaders(
  { headers }: Pick<Exchange, 'headers'>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const sent: Record<string, string> = { ...own };
  const credentials = headers.filter(({ name }) => !PROTOCOL_HEADERS.test(name.toLowerCase()));
  for (const { name } of credentials) delete sent[name.toLowerCase()];
  for (const { name, value } of credentials) sent[name] = value.expose();
  return sent;
}
