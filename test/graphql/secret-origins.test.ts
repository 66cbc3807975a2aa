import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CreateConfig, DeleteConfig, UpdateConfig } from '../setup/operations.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway.close());

const BASE = {
  displayName: 'Linear',
  slug: 'linear',
  url: 'https://mcp.example.com/mcp',
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2ClientSecret: 'the secret',
  oauth2AuthUrl: 'https://id.example.com/authorize',
  oauth2TokenUrl: 'https://id.example.com/token',
  oauth2RevocationUrl: 'https://id.example.com/revoke',
} as const;

/** Creates the config, changes it, and deletes it again. */
async function change(patch: Record<string, unknown>) {
  const token = gateway.tokens.admin;
  const created = await gateway.execute(CreateConfig, { token, variables: { input: BASE } });
  const { id } = created.data.createMcpServerConfig;
  const updated = await gateway.execute(UpdateConfig, { token, variables: { id, patch } });
  await gateway.execute(DeleteConfig, { token, variables: { id } });
  return updated;
}

describe('the client secret, which is sent to the token and the revocation URL', () => {
  test.each([
    { oauth2TokenUrl: 'https://evil.example.net/token' },
    { oauth2TokenUrl: 'https://id.example.com:8443/token' },
    { oauth2RevocationUrl: 'https://evil.example.net/revoke' },
    { oauth2TokenUrl: 'https://evil.example.net/token', oauth2RevocationUrl: 'https://evil.example.net/revoke' },
  ])('is not sent to another origin silently: %j', async (patch) => {
    const { errors } = await change(patch);
    expect(errors).toMatchObject([
      {
        extensions: {
          code: 'VALIDATION_FAILED',
          issues: [{ path: ['oauth2ClientSecret'], code: 'SECRET_NOT_RESENT' }],
        },
      },
    ]);
  });

  test.each([
    { oauth2TokenUrl: 'https://id.example.com/oauth/token' },
    { oauth2RevocationUrl: null },
    { oauth2TokenUrl: 'https://other.example.net/token', oauth2ClientSecret: 'entered again' },
    { oauth2TokenUrl: 'https://other.example.net/token', oauth2ClientSecret: null },
  ])('is kept, set again or cleared: %j', async (patch) => {
    const { errors, data } = await change(patch);
    expect(errors).toBeUndefined();
    expect(data.updateMcpServerConfig.hasOAuth2Secret).toBe(patch.oauth2ClientSecret !== null);
  });
});
