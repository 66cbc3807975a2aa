import type { McpServerConfigRecord } from '../../src/data/records.ts';

/** A config as it could be stored, with the fields that a test sets. */
export function configRecord(fields: Partial<McpServerConfigRecord> = {}): McpServerConfigRecord {
  return {
    id: '3f0c0c52-7c6b-4e8c-9a39-0d9b3a1f5d11',
    displayName: 'GitHub',
    slug: 'github',
    description: '',
    iconUrl: '',
    transport: 'streamable_http',
    url: 'https://mcp.example.com/mcp',
    authType: 'none',
    oauth2ClientId: '',
    oauth2AuthUrl: '',
    oauth2TokenUrl: '',
    oauth2RevocationUrl: '',
    oauth2Issuer: '',
    oauth2Scopes: [],
    oauth2ResourceMode: 'auto',
    oauth2CallbackMode: 'own',
    apiKeyHeader: '',
    toolAllowList: [],
    toolDenyList: [],
    toolApproval: 'auto',
    exposeResources: false,
    exposePrompts: false,
    availability: 'default_off',
    enabled: false,
    hasOAuth2Secret: false,
    hasApiKey: false,
    hasCustomHeaders: false,
    secretKeyDigests: [],
    version: 1,
    createdById: null,
    updatedById: null,
    createdAt: new Date('2026-01-01T00:00:00Z'),
    updatedAt: new Date('2026-01-01T00:00:00Z'),
    ...fields,
  };
}

/** A config with an API key in its `Authorization` header. */
export function apiKeyRecord(fields: Partial<McpServerConfigRecord> = {}): McpServerConfigRecord {
  return configRecord({ authType: 'api_key', apiKeyHeader: 'Authorization', hasApiKey: true, ...fields });
}
