import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CREDENTIAL_LIMITS } from '../../src/limits/credential-limits.ts';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CreateApiToken, CreateUser } from '../setup/operations.ts';
import { type AuditRow, entriesOf, readEntries } from './audit-entries.ts';

let gateway: TestGateway;
// On a busy machine, half a minute passes, after which the gateway writes the counts that are due by itself.
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  gateway = await createTestGateway();
});
afterAll(async () => {
  await gateway?.close();
  vi.useRealTimers();
});
/** Every caller may write entries as if they had never done so. */
beforeEach(() => gateway.clock.advance(86_400_000));

/** Eight fields that members may not ask for. */
const FORBIDDEN = [
  'auditLog(first: 1) { totalCount }',
  'verifyAuditLog { checked }',
  'exportMcpServers',
  'users(first: 1) { totalCount }',
  'encryptionKeys { number }',
  'mcpServerConfigImpact(id: "00000000-0000-4000-8000-00000000dead") { chatCount }',
  'mcpServerConfigHistory(id: "00000000-0000-4000-8000-00000000dead") { totalCount }',
  'discoverMcpServerOAuth(url: "https://mcp.example.com/") { issuer }',
];
const EIGHT = `{ ${FORBIDDEN.map((field, index) => `f${index}: ${field}`).join(' ')} }`;

const ask = (query: string, role: 'member' | 'service' = 'member') =>
  gateway.graphql(query, { token: gateway.tokens[role] });

/** A request without a credential, as the Node server passes it on. */
const knock = async (address: string, method = 'POST'): Promise<void> => {
  const incoming = { socket: { remoteAddress: address } };
  const response = await gateway.app.fetch(new Request(new URL('/graphql', gateway.config.publicUrl), { method }), {
    incoming,
  });
  expect(response.status).toBe(401);
};

/** @returns the token of a member who was never denied anything */
const createMember = async (): Promise<string> => {
  const input = { email: `${crypto.randomUUID()}@example.com`, role: 'MEMBER' } as const;
  const { data } = await gateway.execute(CreateUser, { token: gateway.tokens.admin, variables: { input } });
  const userId = data.createUser.id;
  const variables = { input: { userId, name: 'token' } };
  return (await gateway.execute(CreateApiToken, { token: gateway.tokens.admin, variables })).data.createApiToken.token;
};

const reasons = (entries: readonly AuditRow[]) => entries.map(({ reason }) => reason);
const times = async (count: number, work: () => Promise<unknown>) => {
  for (let index = 0; index < count; index += 1) await work();
};

describe('a member who asks for forbidden fields again and again', () => {
  test('causes one entry for each field, and later one that counts the repeats', async () => {
    const since = gateway.clock.now.toISOString();
    const first = await entriesOf(gateway, () => times(20, () => ask(EIGHT)));
    expect(first.map(({ target_label }) => target_label).sort()).toEqual(
      FORBIDDEN.map((field) => `query ${/^\w+/.exec(field)?.[0]}`).sort(),
    );
    expect(new Set(reasons(first))).toEqual(new Set(['FORBIDDEN.']));
    gateway.clock.advance(60_000);
    const [later, ...more] = await entriesOf(gateway, () => times(2, () => ask('{ exportMcpServers }')));
    expect(later).toMatchObject({
      actor_id: gateway.userIds.member,
      target_label: 'query exportMcpServers',
      reason: `FORBIDDEN. 20 times since ${since}.`,
    });
    expect(more).toEqual([]);
  });

  test('causes about one entry a minute in the long run, and none of them is left out of the count', async () => {
    // Writes what was counted before.
    await ask(EIGHT);
    const rounds = 40;
    const entries = await entriesOf(gateway, async () => {
      await times(rounds, async () => {
        gateway.clock.advance(61_000);
        await ask(EIGHT);
      });
      gateway.clock.advance(86_400_000);
      await ask(EIGHT);
    });
    expect(entries.length).toBeLessThan(30 + rounds * 1.1 + FORBIDDEN.length);
    const counts = reasons(entries).map((reason) => Number(/(\d+) times/.exec(reason ?? '')?.[1] ?? 1));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe((rounds + 1) * FORBIDDEN.length);
  });

  test('pays for the first entry of each kind as for any other', async () => {
    const token = await createMember();
    const minutes = 4;
    const entries = await entriesOf(gateway, async () => {
      await gateway.graphql(EIGHT, { token });
      await times(minutes, async () => {
        gateway.clock.advance(60_000);
        await gateway.graphql(EIGHT, { token });
      });
    });
    const own = entries.filter(({ reason }) => reason?.startsWith('FORBIDDEN'));
    expect(own.length).toBeGreaterThan(FORBIDDEN.length);
    expect(own.length).toBeLessThanOrEqual(30 + minutes);
  });

  test('hides neither a new kind of refusal of their own nor those of another user', async () => {
    await times(35, async () => {
      await ask(EIGHT);
      gateway.clock.advance(61_000);
    });
    const own = await entriesOf(gateway, () => ask('mutation { addEncryptionKey { number } }'));
    expect(own).toMatchObject([{ target_label: 'mutation addEncryptionKey', reason: 'FORBIDDEN.' }]);
    const other = await entriesOf(gateway, () => ask('mutation { addEncryptionKey { number } }', 'service'));
    expect(other).toMatchObject([{ actor_id: gateway.userIds.service, reason: 'FORBIDDEN.' }]);
  });
});

describe('junk requests without a credential', () => {
  test('do not hide those from another address', async () => {
    // As often as networks are told apart: requests of one network must not use that up.
    const flood = CREDENTIAL_LIMITS.deniedNetworks.value;
    const junk = await entriesOf(gateway, () => times(flood, () => knock('203.0.113.7')));
    expect(junk).toMatchObject([{ address: '203.0.113.7', actor_kind: 'nobody' }]);
    const real = await entriesOf(gateway, () => knock('198.51.100.9'));
    expect(real).toMatchObject([{ address: '198.51.100.9', target_label: 'POST /graphql' }]);
  });

  test('do not hide another operation from the same address', async () => {
    await times(100, () => knock('203.0.113.8'));
    const other = await entriesOf(gateway, () => knock('203.0.113.8', 'GET'));
    expect(other).toMatchObject([{ address: '203.0.113.8', target_label: 'GET /graphql' }]);
  });

  test('from all addresses of one IPv6 network count as those of one caller', async () => {
    const entries = await entriesOf(gateway, async () => {
      for (let index = 0; index < 100; index += 1) await knock(`2001:db8:1:2::${index.toString(16)}`);
    });
    expect(entries).toHaveLength(1);
    expect(await entriesOf(gateway, () => knock('2001:db8:1:3::1'))).toHaveLength(1);
  });

  test('from very many networks share an entry, with their number', async () => {
    const since = gateway.clock.now.toISOString();
    const flood = await entriesOf(gateway, async () => {
      for (let index = 0; index < 700; index += 1) await knock(`10.1.${index >> 8}.${index & 255}`);
    });
    expect(flood).toHaveLength(501);
    expect(flood.at(-1)).toMatchObject({ address: null, reason: 'UNAUTHENTICATED. From one of many addresses.' });
    gateway.clock.advance(60_000);
    // Twelve more networks get a bucket of their own after a minute.
    const later = await entriesOf(gateway, async () => {
      for (let index = 0; index < 13; index += 1) await knock(`10.2.0.${index}`);
    });
    expect(later.at(-1)?.reason).toBe(`UNAUTHENTICATED. 200 times since ${since}. From one of many addresses.`);
    expect(later.slice(0, -1).map(({ address }) => address)).not.toContain(null);
  });
});

test('counts that are not written yet are written when the gateway stops', async () => {
  const database = await openTestDatabase();
  try {
    const stopped = await createTestGateway({ database });
    const knockAgain = () => stopped.fetch('/graphql', { method: 'POST' });
    await times(5, knockAgain);
    const before = await readEntries(stopped);
    await stopped.close();
    const added = (await readEntries(stopped)).slice(before.length);
    expect(reasons(added)).toEqual([expect.stringMatching(/^UNAUTHENTICATED\. 4 times since /)]);
  } finally {
    await database.close();
  }
});
