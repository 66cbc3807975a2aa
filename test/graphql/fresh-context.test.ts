import { buildSchema, type ExecutionResult, parse, type SubscriptionArgs } from 'graphql';
import { expect, test, vi } from 'vitest';
import type { ConfigEvent } from '../../src/domain/feed/config-event.ts';
import { type IterableSupply, iterate, NOTHING_YET, OVER, type Taken } from '../../src/domain/feed/supply.ts';
import type { AnswerMemory } from '../../src/graphql/answer-memory.ts';
import type { DocumentMemory } from '../../src/graphql/document-memory.ts';
import { useFreshContext } from '../../src/graphql/plugins/use-fresh-context.ts';
import { currentRequest, runInRequest } from '../../src/telemetry/request-scope.ts';

const schema = buildSchema('type Query { a: Int } type Subscription { mcpServerConfigEvents: String }');
// Tells which request an event is executed in.
Object.assign(schema.getSubscriptionType()?.getFields()['mcpServerConfigEvents'] ?? {}, {
  resolve: () => currentRequest()?.requestId,
});
const document = parse('subscription { mcpServerConfigEvents }');
const viewer = { kind: 'user', userId: 'u', role: 'member', credential: { kind: 'session', sessionId: 's' } };
const event = { type: 'ADDED', configId: 'c', config: null, place: {}, occurredAt: new Date(), viewer };

/** Subscribes to one event, which is executed like this. */
async function subscribe(answerEvent: (document: never, about: never, context: never, make: () => unknown) => unknown) {
  const events: Taken<ConfigEvent>[] = [NOTHING_YET, event as never];
  const source: IterableSupply<ConfigEvent> = {
    take: () => events.shift() ?? OVER,
    onReady: (callback) => void setImmediate(callback),
    close: vi.fn(),
    [Symbol.asyncIterator]: () => iterate(source),
  };
  const release = vi.fn();
  const documents = { hold: () => release } as unknown as DocumentMemory;
  const plugin = useFreshContext(
    { answerEvent, findEvent: () => undefined } as unknown as AnswerMemory,
    documents,
    new WeakMap(),
  );
  let run: ((args: SubscriptionArgs) => Promise<IterableSupply<ExecutionResult>>) | undefined;
  const args = {
    ...{ schema, document },
    rootValue: { mcpServerConfigEvents: () => source },
    contextValue: { viewer, acceptsEvents: true, services: {} },
  };
  const setSubscribeFn = (given: unknown) => {
    run = given as typeof run;
  };
  await plugin.onSubscribe?.({ args, setSubscribeFn } as never);
  const results = (await run?.(args)) as IterableSupply<ExecutionResult>;
  return { results: results[Symbol.asyncIterator](), source, release };
}

test('an event is taken, executed and given on', async () => {
  const { results, release } = await subscribe(() => ({ data: { mcpServerConfigEvents: 1 } }));
  expect(await results.next()).toEqual({ value: { data: { mcpServerConfigEvents: 1 } }, done: false });
  expect(release).not.toHaveBeenCalled();
  expect((await results.next()).done).toBe(true);
  expect(release).toHaveBeenCalled();
});

test('an event is executed in the request of its stream, whoever wakes it', async () => {
  const inRequest = <Result>(requestId: string, work: () => Result) =>
    runInRequest({ requestId, address: undefined }, work);
  const make = (_document: never, _about: never, _context: never, execute: () => unknown) => execute();
  const { results } = await inRequest('own', () => subscribe(make));
  const { value } = await inRequest('of another caller', () => results.next());
  expect(value).toEqual({ data: { mcpServerConfigEvents: 'own' } });
});

test.each([
  [
    'throws',
    () => {
      throw new Error('lost');
    },
  ],
  ['fails later', () => Promise.reject(new Error('lost'))],
])('an event whose execution %s ends the stream and what it holds', async (_, answerEvent) => {
  const { results, source, release } = await subscribe(answerEvent);
  await expect(results.next()).rejects.toThrow('lost');
  expect(source.close).toHaveBeenCalled();
  expect(release).toHaveBeenCalled();
  expect((await results.next()).done).toBe(true);
});
