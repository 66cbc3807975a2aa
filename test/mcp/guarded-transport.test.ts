import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import { GuardedTransport, RAW_ITEMS } from '../../src/mcp/guarded-transport.ts';

/** A transport that a test speaks for. */
function createInner() {
  const sent: unknown[] = [];
  const inner: Transport = {
    start: async () => undefined,
    close: async () => undefined,
    send: async (message) => void sent.push(message),
  };
  const received: unknown[] = [];
  const guarded = new GuardedTransport(inner, () => undefined);
  guarded.onmessage = (message) => void received.push(message);
  const receive = (message: object): void => inner.onmessage?.({ jsonrpc: '2.0', ...message } as JSONRPCMessage);
  return { guarded, received, receive };
}

test('an answer reaches the client once, and only for a request that waits for it', async () => {
  const { guarded, received, receive } = createInner();
  await guarded.send({ jsonrpc: '2.0', id: 1, method: 'tools/call' });
  await guarded.send({ jsonrpc: '2.0', id: 2, method: 'tools/call' });
  for (const id of [4_711, '1', 2, 2, 1, 1]) receive({ id, result: { content: [] } });
  expect(received).toMatchObject([{ id: 2 }, { id: 1 }]);
});

test('tools are taken out of lists before anything reads them, and out of nothing else', async () => {
  const { guarded, received, receive } = createInner();
  await guarded.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  await guarded.send({ jsonrpc: '2.0', id: 2, method: 'tools/call' });
  for (const id of [1, 2]) receive({ id, result: { tools: ['no tool'] } });
  expect(received).toMatchObject([
    { result: { tools: [], [RAW_ITEMS]: ['no tool'] } },
    { result: { tools: ['no tool'] } },
  ]);
});
