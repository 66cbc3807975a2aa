import type { McpTransport } from '../../data/records.ts';
import type { ListedTools } from '../../mcp/list-tools.ts';
import type { ServerProbe } from '../../mcp/probe-server.ts';
import { UpstreamError } from '../../mcp/upstream-error.ts';
import type { UpstreamHeader } from '../../mcp/upstream-target.ts';
import { type TestStep, toFailed, toOk, toSkipped } from './server-test-steps.ts';

/** What became of an attempt to speak to a server with some credentials. */
export interface Attempt {
  ms: number;
  protocolVersion: string | undefined;
  listed: ListedTools | undefined;
  listMs: number;
  error: UpstreamError | undefined;
}

/** Tries to connect and to list the tools. @throws errors that are no failure of the server */
export async function attempt(
  probe: ServerProbe,
  server: { url: string; transport: McpTransport; headers: readonly UpstreamHeader[] },
): Promise<Attempt> {
  const startedAt = performance.now();
  const since = (from: number): number => Math.round(performance.now() - from);
  const result: Attempt = { ms: 0, protocolVersion: undefined, listed: undefined, listMs: 0, error: undefined };
  try {
    await probe.open(server, async ({ protocolVersion, listTools }) => {
      Object.assign(result, { ms: since(startedAt), protocolVersion });
      const listStartedAt = performance.now();
      try {
        result.listed = await listTools();
      } finally {
        result.listMs = since(listStartedAt);
      }
    });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    result.error = error;
    if (result.protocolVersion === undefined) result.ms = since(startedAt);
  }
  return result;
}

/** Tests what is below HTTP: the name, the address and TLS. */
export async function testNetwork(probe: ServerProbe, url: URL): Promise<TestStep[]> {
  const startedAt = performance.now();
  const since = (from: number): number => Math.round(performance.now() - from);
  let name: TestStep;
  try {
    const count = await probe.resolve(url);
    name = toOk('name', since(startedAt), count === 1 ? 'It has one address.' : `It has ${count} addresses.`);
  } catch (error) {
    return [toFailed('name', since(startedAt), error)];
  }
  const dialledAt = performance.now();
  try {
    const { tls, validTo } = await probe.dial(url);
    const ms = since(dialledAt);
    const until =
      validTo === undefined || Number.isNaN(validTo.getTime())
        ? ''
        : ` The certificate is valid until ${validTo.toISOString().slice(0, 10)}.`;
    return [
      name,
      toOk('address', ms, 'The gateway may call it, and reaches it.'),
      tls === undefined ? toSkipped('tls', 'The URL has no TLS.') : toOk('tls', ms, `${tls}.${until}`),
    ];
  } catch (error) {
    const ms = since(dialledAt);
    if (!(error instanceof UpstreamError) || error.problem !== 'TLS_FAILED')
      return [name, toFailed('address', ms, error)];
    return [name, toOk('address', ms, 'The gateway may call it, and reaches it.'), toFailed('tls', ms, error)];
  }
}
