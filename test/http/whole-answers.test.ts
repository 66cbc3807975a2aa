import { afterAll, beforeAll, expect, test } from 'vitest';
import { findWholeLength } from '../../src/http/whole-answer.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

// An answer of the graph stays one text on its way out: what comes after it need not read it to send it.

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

function ask(query: string, headers: Record<string, string> = {}): Promise<Response> {
  return gateway.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.tokens.admin}`, ...headers },
    body: JSON.stringify({ query }),
  });
}

test.each([
  ['an answer', '{ viewer { id email } }'],
  [
    'an answer with characters of several bytes',
    'mutation { createChat(input: { title: "Übergrößen €" }) { chat { title } } }',
  ],
  ['an error', '{ mcpServerConfig(id: "1") { id } }'],
])('%s is sent as it was made, and its size is known', async (_what, query) => {
  const response = await ask(query);
  const size = findWholeLength(response);
  if (query.includes('€')) expect(await response.clone().text()).toContain('"title":"Übergrößen €"');
  expect(size).toBe((await response.arrayBuffer()).byteLength);
  expect(response.headers.get('vary')).toBe('Accept-Encoding');
});

test('a stream has no size', async () => {
  const response = await ask('subscription { mcpServerConfigEvents { cursor } }', { accept: 'text/event-stream' });
  expect(findWholeLength(response)).toBeUndefined();
  await response.body?.cancel();
});
