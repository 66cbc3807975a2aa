import type { TestGateway } from '../setup/gateway.ts';
import { readSse } from '../setup/sse-reader.ts';

/** An event as a client receives it. */
export interface ReceivedEvent {
  cursor: string;
  type: string;
  configId: string | null;
  config: Record<string, unknown> | null;
  changedFields: string[];
}

/** A subscription over server-sent events (GraphQL over SSE, distinct connections). */
export interface EventStream {
  status: number;
  /** The next event that is not a bookmark; undefined when the stream is complete. */
  next(): Promise<ReceivedEvent | undefined>;
  /** The next event of any type. */
  nextOfAny(): Promise<ReceivedEvent | undefined>;
  /** Codes of errors that arrived instead of an event. */
  errors: string[];
  close(): Promise<void>;
}

const FIELDS =
  'cursor type configId changedFields config { id slug displayName description url enabled authConnected viewerState version }';

/** Opens a stream of config events. @param variables `fields` is the selection; `flag` is a variable in it */
export async function openEvents(
  gateway: TestGateway,
  token: string | undefined,
  { fields = FIELDS, ...args }: { after?: string; includeInitial?: boolean; fields?: string; flag?: boolean } = {},
): Promise<EventStream> {
  const query = `subscription ($after: String, $includeInitial: Boolean${args.flag === undefined ? '' : ', $flag: Boolean!'}) {
    mcpServerConfigEvents(after: $after, includeInitial: $includeInitial) { ${fields} } }`;
  const controller = new AbortController();
  const response = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables: args }),
    signal: controller.signal,
  });
  const errors: string[] = [];
  const reader = response.headers.get('content-type')?.startsWith('text/event-stream')
    ? (response.body as ReadableStream<Uint8Array>).getReader()
    : undefined;
  const messages = reader && readSse(readChunks(reader));
  if (messages === undefined) {
    const body = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    errors.push(...(body.errors ?? []).map((error) => error.extensions.code));
  }
  const nextOfAny = async (): Promise<ReceivedEvent | undefined> => {
    const message = await messages?.next();
    if (message === undefined || message.done === true || message.value.event === 'complete') return undefined;
    const { data, errors: found } = JSON.parse(message.value.data) as {
      data?: { mcpServerConfigEvents: ReceivedEvent } | null;
      errors?: { extensions: { code: string } }[];
    };
    errors.push(...(found ?? []).map((error) => error.extensions.code));
    return data == null ? nextOfAny() : data.mcpServerConfigEvents;
  };
  return {
    status: response.status,
    errors,
    nextOfAny,
    async next() {
      for (;;) {
        const event = await nextOfAny();
        if (event?.type !== 'BOOKMARK') return event;
      }
    },
    async close() {
      controller.abort();
      // This also ends a read that waits, which else would wait for the next ping.
      await reader?.cancel();
    },
  };
}

async function* readChunks(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}
