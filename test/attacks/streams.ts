import { request } from 'node:http';
import type { AttackedGateway } from './harness.ts';

/** A stream of server-sent events that a test opened as the attacker. */
export interface AttackStream {
  /** Resolves when so many events have arrived; rejects if the stream is refused or ends before. */
  receive(count: number): Promise<void>;
  close(): void;
}

/** Subscribes over server-sent events. The body is sent as it is, with everything that the caller adds to it. */
export function openAttackStream({ port, tokens }: AttackedGateway, body: object): AttackStream {
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/graphql',
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${tokens.member}`,
      'content-type': 'application/json',
    },
  });
  const mark = 'event: next';
  let events = 0;
  /** What was read after the last mark. It may end with a part of the next one. */
  let rest = '';
  let listener: (() => void) | undefined;
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    listener?.();
  };
  sent.on('error', fail);
  sent.on('response', (answer) => {
    if (answer.statusCode !== 200) fail(new Error(`the stream was answered with ${answer.statusCode}`));
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split(mark);
      events += parts.length - 1;
      rest = (parts.at(-1) ?? '').slice(-mark.length);
      listener?.();
    });
    answer.on('error', fail);
    answer.on('end', () => fail(new Error(`the stream ended after ${events} events`)));
  });
  sent.end(JSON.stringify(body));
  return {
    receive: (count) =>
      new Promise((resolve, reject) => {
        listener = () => {
          if (events >= count) resolve();
          else if (failure !== undefined) reject(failure);
        };
        listener();
      }),
    close: () => void sent.destroy(),
  };
}

/** Creates an enabled config. @returns its id */
export async function createConfig(gateway: AttackedGateway): Promise<string> {
  const input = { displayName: 'A', slug: 'a', url: 'https://mcp.example.com/mcp', enabled: true };
  const { createMcpServerConfig } = await gateway.asAdmin(
    'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }',
    { input },
  );
  return createMcpServerConfig.id;
}
