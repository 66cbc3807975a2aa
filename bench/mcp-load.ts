import { Agent, type Dispatcher } from 'undici';

/** Where MCP messages go, and as whom. */
export interface McpTarget {
  url: string;
  token?: string;
}

/** A request that is sent again and again. */
export interface McpRequest {
  headers: Record<string, string>;
  body: string;
}

/** Latencies in milliseconds, sorted, and how long all of it took. */
export interface McpLoad {
  sortedMs: number[];
  seconds: number;
}

const KEY = 'io.modelcontextprotocol';
const MODERN = '2026-07-28';

/** A message of a revision, as its clients send it. */
export function toRequest(method: string, params: object, revision: string = MODERN): McpRequest {
  const isModern = revision === MODERN;
  const name = (params as { name?: string }).name;
  const _meta = {
    [`${KEY}/protocolVersion`]: revision,
    [`${KEY}/clientInfo`]: { name: 'bench', version: '1' },
    [`${KEY}/clientCapabilities`]: {},
  };
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': revision,
      ...(isModern && { 'mcp-method': method, ...(name !== undefined && { 'mcp-name': name }) }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, ...(isModern && { _meta }) } }),
  };
}

/** Sends one message. @returns the answer as text @throws unless it is the result of the server */
export async function send({ url, token }: McpTarget, request: McpRequest, dispatcher: Dispatcher, expected: string) {
  const { origin, pathname, search } = new URL(url);
  const { statusCode, body } = await dispatcher.request({
    origin,
    path: `${pathname}${search}`,
    method: 'POST',
    headers: { ...request.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: request.body,
  });
  const text = await body.text();
  if (statusCode === 200 && text.includes(expected)) return text;
  throw new Error(`${url} answers with status ${statusCode}: ${text.slice(0, 500)}`);
}

/**
 * Sends the same message over some connections, each as fast as it is answered.
 *
 * @param until for so many seconds, or so many messages in all
 * @throws if any answer is not what is expected
 */
export async function load(
  target: McpTarget,
  request: McpRequest,
  {
    connections,
    until,
    expected,
  }: { connections: number; until: { seconds: number } | { calls: number }; expected: string },
): Promise<McpLoad> {
  const agent = new Agent({ connections, pipelining: 1 });
  const ms: number[] = [];
  let begun = 0;
  const startedAt = performance.now();
  const goesOn = (): boolean =>
    'calls' in until ? begun < until.calls : performance.now() - startedAt < until.seconds * 1_000;
  const work = async (): Promise<void> => {
    while (goesOn()) {
      begun += 1;
      const sentAt = performance.now();
      await send(target, request, agent, expected);
      ms.push(performance.now() - sentAt);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, work));
  } finally {
    await agent.destroy();
  }
  return { sortedMs: ms.sort((a, b) => a - b), seconds: (performance.now() - startedAt) / 1_000 };
}

/** The latency that a share of the requests did not exceed. */
export function at({ sortedMs }: Pick<McpLoad, 'sortedMs'>, share: number): number {
  return sortedMs[Math.max(Math.ceil(share * sortedMs.length) - 1, 0)] ?? Number.NaN;
}
