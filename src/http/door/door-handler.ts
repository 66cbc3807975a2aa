import { createMcpHandler, InMemoryServerEventBus } from '@modelcontextprotocol/server';
import type { DoorServerOptions } from './door-answer.ts';
import { createDoorServer } from './door-server.ts';

// What answers requests at doors. It is loaded with the first request: the SDK takes 5 MB.

export { answerPlain } from './plain-answer.ts';
export { readPlainRequest } from './plain-request.ts';

/** Handles one request at a door with the SDK. */
export function createDoorHandler(options: DoorServerOptions) {
  return createMcpHandler(() => createDoorServer(options), {
    legacy: 'stateless',
    bus: new InMemoryServerEventBus(),
    maxSubscriptions: 1,
  });
}
