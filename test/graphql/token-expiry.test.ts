import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { issuesOf } from './config-operations.ts';

const DAY_MS = 86_400_000;

async function withGateway(env: Record<string, string>, work: (gateway: TestGateway) => Promise<void>): Promise<void> {
  const gateway = await createTestGateway({ env });
  try {
    await work(gateway);
  } finally {
    await gateway.close();
  }
}

/** The problems with a token for the member that expires after some days. */
async function create(gateway: TestGateway, days: number | null): Promise<string[]> {
  const expiresAt = days === null ? null : new Date(gateway.clock.now.getTime() + days * DAY_MS).toISOString();
  const input = { userId: gateway.userIds.member, name: 'a', expiresAt };
  const query = 'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { apiToken { id } } }';
  // The operator's own token does not expire, so it does not limit what it makes.
  return issuesOf(await gateway.graphql(query, { token: gateway.tokens.bootstrap, variables: { input } }));
}

describe('GATEHOUSE_API_TOKEN_MAX_DAYS', () => {
  test('makes new tokens expire, whoever creates them', () =>
    withGateway({ GATEHOUSE_API_TOKEN_MAX_DAYS: '30' }, async (gateway) => {
      expect(await create(gateway, null)).toEqual(['expiresAt: REQUIRED']);
      expect(await create(gateway, 31)).toEqual(['expiresAt: TOO_LATE']);
      expect(await create(gateway, -1)).toEqual(['expiresAt: IN_THE_PAST']);
      expect(await create(gateway, 30)).toEqual([]);
    }));

  test('is not needed', () =>
    withGateway({}, async (gateway) => {
      expect(await create(gateway, null)).toEqual([]);
      expect(await create(gateway, 100_000)).toEqual([]);
    }));

  test.each(['0', '1.5', 'thirty', '36501'])('stops the start when it is %s', (days) => {
    expect(() => readConfig({ GATEHOUSE_API_TOKEN_MAX_DAYS: days })).toThrow(ConfigError);
  });
});
