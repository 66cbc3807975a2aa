import { createMcpHandler, InMemoryServerEventBus } from '@modelcontextprotocol/server';
import type { DoorServerOptions } from './door-answer.ts';
import { createDoorServer } from './door-server.ts';
import { answerPlain, type PlainAnswer } from './plain-answer.ts';
import { readPlainRequest } from './plain-request.ts';

// What answers requests at doors. It is loaded with the first request: the SDK takes 5 MB.

/**
 * Answers a request directly, if it is plain. Undefined: it is for the SDK.
 *
 * @param header reads a header of the request
 */
export async function answerIfPlain(
  header: (name: string) => string | undefined,
  message: unknown,
  options: Parameters<typeof answerPlain>[1],
): Promise<PlainAnswer | undefined> {
  const request = readPlainRequest(header, message);
  return request === undefined ? undefined : answerPlain(request, options);
}

/** Handles one request at a door with the SDK. */
export function createDoorHandler(options: DoorServerOptions) {
  return createMcpHandler(() => createDoorServer(options), {
    legacy: 'stateless',
    bus: new InMemoryServerEventBus(),
    maxSubscriptions: 1,
  });
}
