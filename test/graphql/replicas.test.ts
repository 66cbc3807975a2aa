import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { onServer } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { createId } from './config-operations.ts';

// Only one process can open the embedded database.
describe.runIf(onServer)('two replicas on one database', () => {
  const databases: Database[] = [];
  let first: TestGateway;
  /** Receives notifications. */
  let second: Replica;
  /** Receives none and knows it, as while its notification connection is down. */
  let deaf: Replica;

  beforeAll(async () => {
    const url = await createServerDatabase();
    const open = async (options: Partial<Database> = {}) => {
      const database = await openServerDatabase(url);
      databases.push(database);
      return { ...database, ...options };
    };
    first = await createTestGateway({ database: await open() });
    second = await createReplica(first, await open());
    const listen = async () => ({ isConnected: () => false, close: async () => undefined });
    deaf = await createReplica(first, await open({ listen }));
  });
  afterAll(async () => {
    await Promise.all([first?.close(), second?.close(), deaf?.close()]);
    for (const database of databases) await database.close();
  });

  const asAdmin = async (query: string) => {
    const { data, errors } = await first.graphql(query, { token: first.tokens.bootstrap });
    expect(errors).toBeUndefined();
    return data;
  };
  const LIST = '{ mcpServerConfigs(first: 500) { totalCount nodes { id } } }';
  const idsOf = ({ data }: { data: any }): string[] => data.mcpServerConfigs.nodes.map(({ id }: { id: string }) => id);
  const codeOf = ({ errors }: { errors?: any[] }): string => errors?.[0]?.extensions.code ?? 'none';

  test('the writer has a change in its next answer, even without notifications, and the other once notified', async () => {
    const id = await createId(first);
    for (let round = 0; round < 20; round += 1) {
      const enabled = round % 2 === 0;
      await asAdmin(`mutation { updateMcpServerConfig(id: "${id}", patch: { enabled: ${enabled} }) { id } }`);
      const has = (ids: string[]) => ids.includes(id);
      expect(has(idsOf(await first.graphql(LIST, { token: first.tokens.member })))).toBe(enabled);
      expect(has(idsOf(await deaf.graphql(LIST, first.tokens.member)))).toBe(enabled);
      await expect.poll(async () => has(idsOf(await second.graphql(LIST, first.tokens.member)))).toBe(enabled);
    }
  });

  test('revoked tokens, demotions and suspensions apply everywhere', async () => {
    const made = await asAdmin('mutation { createUser(input: { email: "r@example.com", role: ADMIN }) { id } }');
    const { id } = made.createUser;
    const newToken = async () => {
      const input = `{ userId: "${id}", name: "t" }`;
      const { createApiToken } = await asAdmin(
        `mutation { createApiToken(input: ${input}) { token apiToken { id } } }`,
      );
      return { token: createApiToken.token as string, tokenId: createApiToken.apiToken.id as string };
    };
    const { token, tokenId } = await newToken();
    const other = await newToken();
    const KEYS = '{ encryptionKeys { number } }';
    const everywhere = async (good: string, code: string) => {
      expect(codeOf(await first.graphql(KEYS, { token: good }))).toBe(code);
      expect(codeOf(await deaf.graphql(KEYS, good))).toBe(code);
      await expect.poll(async () => codeOf(await second.graphql(KEYS, good))).toBe(code);
    };
    for (const each of [token, other.token]) await everywhere(each, 'none');
    await asAdmin(`mutation { revokeApiToken(id: "${tokenId}") { apiToken { id } } }`);
    await everywhere(token, 'UNAUTHENTICATED');
    await everywhere(other.token, 'none');
    await asAdmin(`mutation { updateUser(id: "${id}", patch: { role: MEMBER }) { id } }`);
    await everywhere(other.token, 'FORBIDDEN');
    await asAdmin(`mutation { updateUser(id: "${id}", patch: { status: SUSPENDED }) { id } }`);
    await everywhere(other.token, 'UNAUTHENTICATED');
    await asAdmin(`mutation { updateUser(id: "${id}", patch: { status: ACTIVE, role: ADMIN }) { id } }`);
    await everywhere(other.token, 'none');
    await asAdmin(`mutation { deleteUser(id: "${id}") { deletedId } }`);
    await everywhere(other.token, 'UNAUTHENTICATED');
  });
});
