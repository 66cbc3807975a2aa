/** A call of a tool, as a message without the parts that only revision 2026-07-28 wants. */
export function callMessage(name: string, args: unknown = {}, meta?: Record<string, unknown>) {
  const params = { name, arguments: args, ...(meta !== undefined && { _meta: meta }) };
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
}

/** The messages of an answer, whether it is one message or a stream of them. */
export async function readMessages(response: Response): Promise<any[]> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return [JSON.parse(text)];
  return [...text.matchAll(/^data: ?(.+)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
}

/** The result in an answer. Fails if it has none. */
export async function readResult(response: Response): Promise<any> {
  const messages = await readMessages(response);
  const answer = messages.find((message) => 'result' in message);
  if (answer === undefined) throw new Error(`no result: ${JSON.stringify(messages)}`);
  return answer.result;
}
