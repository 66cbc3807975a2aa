import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createId, update } from '../graphql/config-operations.ts';
import { insertUserToken } from '../graphql/user-tokens.ts';
import { onServer } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';

const CALLERS = 100;
const CHANGES = 8;
const CHANGE_EVERY_MS = 100;

const FIELDS = `mcpServerConfigs(first: 50) { totalCount nodes {
  id slug displayName description enabled url version authConnected viewerState } }`;
const LIST = `query List { ${FIELDS} }`;
/** The same, and something that no memory keeps. */
const LIST_AND_SELF = `query ListAndSelf { ${FIELDS} viewer { id } }`;

const OAUTH = {
  enabled: true,
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
};

/** An answer, with the changes between which it was given: those that were done when it was asked for, and begun when it came. */
interface Answer {
  caller: number;
  text: string;
  done: number;
  begun: number;
}

describe.runIf(onServer)('a gateway that is changed ten times a second', () => {
  const databases: Database[] = [];
  let gateway: TestGateway;
  let twin: Replica;
  let server: RunningServer;
  const agent = new Agent({ connections: CALLERS });
  const configs: string[] = [];
  /** The tokens of four roles. One member is connected to some servers, another to none. */
  let tokens: string[];

  beforeAll(async () => {
    const url = await createServerDatabase();
    const open = async () => {
      const database = await openServerDatabase(url, { poolSize: 4 });
      databases.push(database);
      return database;
    };
    gateway = await createTestGateway({ database: await open() });
    twin = await createReplica(gateway, await open());
    server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
    for (let index = 0; index < 8; index += 1)
      configs.push(await createId(gateway, { slug: `server-${index}`, ...OAUTH }));
    await insertUserToken(gateway, { configId: configs[0] ?? '', userId: gateway.userIds.member });
    const { admin, auditor, service, member } = gateway.tokens;
    tokens = [admin, auditor, service, member, await createMember()];
  });
  afterAll(async () => {
    await agent.close();
    await server?.close(0);
    await Promise.all([gateway?.close(), twin?.close()]);
    for (const database of databases) await database.close();
  });

  async function createMember(): Promise<string> {
    const token = gateway.tokens.bootstrap;
    const made = await gateway.graphql('mutation { createUser(input: { email: "m@example.com" }) { id } }', { token });
    const { id } = made.data.createUser;
    const query = `mutation { createApiToken(input: { userId: "${id}", name: "t" }) { token } }`;
    return (await gateway.graphql(query, { token })).data.createApiToken.token;
  }

  /** Changes something that some of the callers can see. @returns a text that admins get from then on */
  const change = async (number: number): Promise<string> => {
    const id = configs[number % configs.length] ?? '';
    const description = `Change ${number}.`;
    const patches = [
      { enabled: false, description },
      { enabled: true, description },
      { displayName: `Renamed ${number}`, description },
      { url: `https://moved-${number}.example.com/mcp`, description },
    ];
    const patch = patches[number % (patches.length + 1)];
    if (patch === undefined) await createId(gateway, { slug: `new-${number}`, enabled: true, description });
    else expect((await update(gateway, id, patch)).errors).toBeUndefined();
    return description;
  };

  /** What callers get who ask a gateway that has kept no answer, when it has been told of the change. */
  const askTwin = async (description: string): Promise<string[]> => {
    const ask = async (token: string): Promise<string> => {
      const { data } = await twin.graphql(LIST_AND_SELF, token);
      return JSON.stringify({ data: { mcpServerConfigs: data.mcpServerConfigs } });
    };
    await expect.poll(() => ask(gateway.tokens.admin)).toContain(description);
    return Promise.all(tokens.map(ask));
  };

  test('gives each of a hundred callers of four roles what was true while they waited', async () => {
    let [done, begun] = [0, 0];
    const isOver = new AbortController();
    const answers: Answer[] = [];
    const call = async (caller: number): Promise<void> => {
      while (!isOver.signal.aborted) {
        const before = done;
        const { statusCode, body } = await request(`http://127.0.0.1:${server.port}/graphql`, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[caller % tokens.length]}` },
          body: JSON.stringify({ query: LIST }),
        });
        const text = await body.text();
        answers.push({ caller: caller % tokens.length, text, done: before, begun });
        if (statusCode !== 200) throw new Error(text);
      }
    };
    const expected = [await askTwin(await change(0))];
    const calling = Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
    calling.catch(() => isOver.abort());
    while (begun < CHANGES && !isOver.signal.aborted) {
      const pause = delay(CHANGE_EVERY_MS);
      begun += 1;
      const description = await change(begun);
      done = begun;
      expected.push(await askTwin(description));
      await pause;
    }
    isOver.abort();
    await calling;

    const wrong = answers.filter(({ caller, text, done: from, begun: to }) => {
      const states = expected.slice(from, to + 1).map((texts) => texts[caller]);
      return !states.includes(text);
    });
    expect(wrong.map(({ caller, done: from, begun: to, text }) => ({ caller, from, to, text })).slice(0, 3)).toEqual(
      [],
    );
    const metrics = await (await gateway.fetch('/metrics')).text();
    const repeats = Number(/^gatehouse_http_repeats_total (\d+)$/m.exec(metrics)?.[1]);
    console.log(`${answers.length} answers, ${repeats} of them sent again`);
    // Otherwise little was compared.
    expect(answers.length).toBeGreaterThan(10 * CALLERS);
    expect(repeats).toBeGreaterThan(CALLERS);
  });
});
