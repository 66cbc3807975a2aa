import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { onServer } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { createId, update } from './config-operations.ts';
import { type ListDocument, listDocuments } from './list-documents.ts';
import { insertUserToken } from './user-tokens.ts';

// Each run makes others, so what one run does not meet, another does.
const STAGES = 7;
const DOCUMENTS_PER_STAGE = 8;
/** So many documents are asked again in the next stage, after a change. */
const ASKED_AGAIN = 4;

/** No answer that contains this field may be kept. It has no alias: those are limited, and the twin may ask for as many. */
const NEVER_KEPT = 'viewer { id }';

const OAUTH = {
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
};

type App = TestGateway['app'];

// Only one process can open the embedded database.
describe.runIf(onServer)('two replicas that remember answers, and a twin that remembers none', () => {
  const databases: Database[] = [];
  let first: TestGateway;
  let second: Replica;
  let open: () => Promise<Database>;
  let anotherId: string;
  /** The tokens of five users with four roles. */
  let users: string[];
  const configs: string[] = [];
  let chats: string[];

  beforeAll(async () => {
    const url = await createServerDatabase();
    open = async () => {
      const database = await openServerDatabase(url, { poolSize: 4 });
      databases.push(database);
      return database;
    };
    first = await createTestGateway({ database: await open() });
    second = await createReplica(first, await open());
    const { createUser } = await asAdmin('mutation { createUser(input: { email: "other@example.com" }) { id } }');
    anotherId = createUser.id;
    const made = await asAdmin(`mutation { createApiToken(input: { userId: "${anotherId}", name: "t" }) { token } }`);
    const { admin, auditor, service, member } = first.tokens;
    users = [admin, auditor, service, member, made.createApiToken.token];
    for (let index = 0; index < 6; index += 1) {
      configs.push(
        await createId(first, { slug: `server-${index}`, enabled: index % 2 === 0, ...(index < 4 && OAUTH) }),
      );
    }
    const own = (token: string) => first.graphql('mutation { createChat(input: {}) { id } }', { token });
    chats = (await Promise.all([own(member), own(admin)])).map(({ data }) => data.createChat.id);
  });
  afterAll(async () => {
    await Promise.all([first?.close(), second?.close()]);
    for (const database of databases) await database.close();
  });

  async function asAdmin(query: string): Promise<any> {
    const { data, errors } = await first.graphql(query, { token: first.tokens.bootstrap });
    expect(errors).toBeUndefined();
    return data;
  }

  /** Something else each time that a member, an admin or both can see. */
  const changes: (() => Promise<unknown>)[] = [
    () => update(first, configs[0] ?? '', { description: crypto.randomUUID(), url: 'https://new.example.com/mcp' }),
    () => insertUserToken(first, { configId: configs[0] ?? '', userId: first.userIds.member }),
    () => update(first, configs[1] ?? '', { enabled: true }),
    () => asAdmin(`mutation { updateUser(id: "${anotherId}", patch: { role: AUDITOR }) { id } }`),
    () => update(first, configs[2] ?? '', { displayName: 'Renamed', slug: 'server-9' }),
    () => asAdmin(`mutation { removeMcpServerUserTokens(id: "${configs[0]}") { removedCount } }`),
    () => update(first, configs[0] ?? '', { enabled: false }),
    () => asAdmin(`mutation { deleteMcpServerConfig(id: "${configs.pop()}") { deletedId } }`),
    () => asAdmin(`mutation { updateUser(id: "${anotherId}", patch: { role: MEMBER }) { id } }`),
    async () => configs.push(await createId(first, { enabled: true, ...OAUTH })),
    () => insertUserToken(first, { configId: configs[3] ?? '', userId: anotherId }),
    () => update(first, configs[0] ?? '', { enabled: true, availability: 'FORCE_ON' }),
    () => update(first, configs[2] ?? '', { slug: 'server-2' }),
  ];

  const ask = async (app: App, token: string, query: string, { operationName, variables }: Asked): Promise<string> => {
    const response = await app.fetch(
      new Request('http://localhost:4000/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, operationName, variables }),
      }),
    );
    const { data, errors } = (await response.json()) as { data: any; errors?: any[] };
    if (data != null) delete data.viewer;
    const problems = errors?.map(({ message, path, extensions }) => [message, path, extensions.code]);
    // Each cursor is sealed anew.
    return JSON.stringify({ status: response.status, data, problems }, (key, value) =>
      /^(cursor|startCursor|endCursor)$/.test(key) && value !== null ? '<cursor>' : value,
    );
  };

  const EVERYTHING = `query All { mcpServerConfigs(first: 500) { totalCount nodes {
    id slug displayName description enabled availability version url authConnected viewerState } } `;
  const ALL: Asked = { operationName: 'All', variables: {} };

  /** A user asks on both replicas, and on one of them twice again. @returns whether the answer was good */
  const compare = async (twin: App, token: string, document: ListDocument): Promise<boolean> => {
    const expected = await ask(twin, token, document.print(NEVER_KEPT), document);
    // The third of three answers is sent again as a whole.
    for (const app of [first.app, first.app, first.app, second.gateway.app]) {
      const found = await ask(app, token, document.print(), document);
      if (found !== expected) throw new Error(`${found}\ninstead of\n${expected}\nfor ${toText(document)}`);
    }
    return !expected.includes('"problems"');
  };

  /** Everybody asks the same, with a state that is their own in the variables only. */
  const BY_STATE = ['READY', 'NEEDS_CONNECT', 'RECONNECT', 'DISABLED'].map(
    (viewerState): ListDocument => ({
      print: (extra = '') =>
        `query A($f: McpServerConfigFilter) { mcpServerConfigs(filter: $f) { totalCount nodes { id } } ${extra} }`,
      operationName: 'A',
      variables: { f: { viewerState } },
    }),
  );

  /** Chats have no part in what replicas are told: each answer has to find out. */
  const IN_CHAT = (id: string): ListDocument => ({
    print: (extra = '') =>
      `query A($id: UUID!) { chat(id: $id) { id title mcpServerIds updatedAt mcpServers { source state reason
        config { id slug url viewerState } } availableMcpServers { source isLocked config { id } } } ${extra} }`,
    operationName: 'A',
    variables: { id },
  });
  /** Changes a chat behind the back of both replicas. */
  const changeChat = (stage: number) =>
    databases[0]?.query(`UPDATE chats SET title = 'Stage ${stage}',
      mcp_server_ids = '{${configs.filter((_id, index) => (stage >> index) % 2 === 1).join()}}'`);

  test('answer generated documents alike, with changes in between', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`seed ${seed}`);
    const documents = fc.sample(listDocuments, { numRuns: STAGES * DOCUMENTS_PER_STAGE, seed });
    let good = 0;
    let kept = 0;
    for (let stage = 0; stage < STAGES; stage += 1) {
      for (const number of [2 * stage, 2 * stage + 1]) await changes[number % changes.length]?.();
      // A gateway that has seen no earlier state.
      const twin = await createReplica(first, await open());
      for (const token of users) {
        const expected = await ask(twin.gateway.app, token, `${EVERYTHING} ${NEVER_KEPT} }`, ALL);
        expect(await ask(first.app, token, `${EVERYTHING} }`, ALL)).toBe(expected);
        // The other replica has to be told of the change.
        await expect.poll(() => ask(second.gateway.app, token, `${EVERYTHING} }`, ALL)).toBe(expected);
      }
      // Half of the states and some of the users in each stage, others in each run.
      const isTurn = (_each: unknown, index: number) => ((seed >> stage) + index) % 2 === 0;
      const byState = BY_STATE.filter(isTurn);
      for (const document of byState) for (const token of users) await compare(twin.gateway.app, token, document);
      // Between the rounds nothing else changes: answers of the first one are still kept.
      const inChat = users.filter(isTurn);
      for (const round of [0, 1]) {
        await changeChat(2 * stage + round);
        for (const id of chats) for (const token of inChat) await compare(twin.gateway.app, token, IN_CHAT(id));
      }
      const start = stage * DOCUMENTS_PER_STAGE;
      const asked = documents.slice(Math.max(0, start - ASKED_AGAIN), start + DOCUMENTS_PER_STAGE);
      // Some at once: each waits for the database now and then.
      const queue = [...asked.entries()];
      const work = async (): Promise<void> => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const [index, document] = next;
          // The five users in turns, and every fourth document is asked by two of them: by every pair in turns.
          const pair = [index, index + 1 + (Math.floor(index / 20) % 4)].map((user) => users[user % 5] ?? '');
          for (const token of index % 4 === 0 ? pair : pair.slice(0, 1)) {
            if (await compare(twin.gateway.app, token, document)) good += 1;
          }
        }
      };
      await Promise.all([work(), work(), work()]);
      kept += countAnswers(first.caches());
      expect(countAnswers(twin.gateway.caches())).toBe(0);
      await twin.close();
    }
    // Many documents are good, and many answers were kept. Otherwise little was compared.
    expect(good).toBeGreaterThan((STAGES * DOCUMENTS_PER_STAGE) / 2);
    expect(kept).toBeGreaterThan((STAGES * DOCUMENTS_PER_STAGE) / 4);
  }, 600_000);
});

type Asked = Pick<ListDocument, 'operationName' | 'variables'>;

function toText({ print, operationName, variables }: ListDocument): string {
  return JSON.stringify({ query: print(), operationName, variables });
}

function countAnswers(caches: ReturnType<TestGateway['caches']>): number {
  return caches.find(({ name }) => name === 'answers')?.entries ?? Number.NaN;
}
