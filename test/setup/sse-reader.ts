/** One message of an event stream. */
export interface SseMessage {
  event: string;
  data: string;
}

/**
 * Parses an event stream (HTML, "Server-sent events") as Gatehouse sends it, without comments. A message that was cut
 * off is ignored.
 *
 * @throws Error at anything else
 */
export async function* readSse(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseMessage> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const message = parseMessage(text.slice(0, end));
      text = text.slice(end + 2);
      if (message !== undefined) yield message;
    }
  }
}

function parseMessage(block: string): SseMessage | undefined {
  const lines = block.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
  if (lines.length === 0) return undefined;
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^(event|data|id): ?(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || fields.has(name)) throw new Error(`not an event: ${block}`);
    fields.set(name, value);
  }
  return { event: fields.get('event') ?? 'message', data: fields.get('data') ?? '' };
}
