import type { Keyring } from '../../src/crypto/keyring.ts';
import type { Database } from '../../src/data/database/database.ts';
import { sealV1 } from '../setup/seal-v1.ts';

export const ADMIN_ID = '30095c71-380b-457a-8995-97b8ee6e5307';
export const MEMBER_ID = '00000000-0000-4000-8000-0000000000a1';
export const SEED_CONFIG_ID = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
export const FULL_CONFIG_ID = '00000000-0000-4000-8000-0000000000b1';
export const HASH = 'ab'.repeat(32);

/** What a test looks for in these rows at the end. */
export const SEED_TOKEN = { id: 'b2c3d4e5-f6a7-8901-bcde-f12345678901', accessToken: 'fixture-access-token' };

export type Row = Readonly<Record<string, unknown>>;

/** The rows of the first migration. See migration-rows.ts. */
export const FIRST_ROWS = {
  async '20261123000000_init'(database, keyring) {
    const seal = (table: string, column: string, rowId: string, plaintext: string, ownerId?: string): Row => {
      const text = sealV1(keyring.active, plaintext, { table, column, rowId, ownerId });
      return { [column]: text, [`${column}_key_id`]: keyring.active.digest };
    };
    const sealedByRevoked = sealV1(keyring.active, 'x', { table: 'x', column: 'x', rowId: '1', ownerId: undefined });
    await insert(database, 'encryption_keys', [
      { number: 1, revoked_digest: HASH, revoked_at: '2026-01-02T00:00:00Z', canary: sealedByRevoked },
      { number: 2, active_digest: keyring.active.digest, canary: sealedByRevoked },
    ]);
    await insert(database, 'users', [
      { id: ADMIN_ID, email: 'admin@coder.com', role: 'admin', created_at: '2024-01-01T00:00:00Z' },
      {
        id: MEMBER_ID,
        email: 'Ü'.repeat(320),
        status: 'suspended',
        oidc_issuer: 'https://a.example',
        oidc_subject: 's',
      },
      { id: '00000000-0000-4000-8000-0000000000a2', email: 'b', role: 'auditor' },
      { id: '00000000-0000-4000-8000-0000000000a3', email: 'c', role: 'service' },
    ]);
    const apiTokenId = '00000000-0000-4000-8000-0000000000c1';
    const times = {
      expires_at: '9999-12-31T23:59:59Z',
      revoked_at: '2026-01-01T00:00:00Z',
      last_used_at: '1970-01-01T00:00:00Z',
    };
    await insert(database, 'api_tokens', [
      { id: apiTokenId, user_id: MEMBER_ID, name: '😀'.repeat(120), token_hash: HASH, ...times },
      { id: '00000000-0000-4000-8000-0000000000c2', user_id: MEMBER_ID, name: 'b', token_hash: 'cd'.repeat(32) },
    ]);
    await insert(database, 'sessions', [
      {
        id: '00000000-0000-4000-8000-0000000000d1',
        user_id: MEMBER_ID,
        api_token_id: apiTokenId,
        bootstrap_digest: HASH,
        token_hash: HASH,
        expires_at: '2026-01-01T00:00:00Z',
      },
      {
        id: '00000000-0000-4000-8000-0000000000d2',
        user_id: ADMIN_ID,
        token_hash: 'cd'.repeat(32),
        expires_at: '2026-01-01T00:00:00Z',
      },
    ]);
    await insert(database, 'deleted_identities', [
      { issuer: 'https://id.example.com', subject: 'gone', deleted_at: '2026-01-01T00:00:00Z' },
    ]);
    await insert(database, 'sign_in_links', [
      { token_hash: HASH, user_id: ADMIN_ID, expires_at: '2026-01-01T00:00:00Z' },
    ]);
    await insert(database, 'mcp_server_configs', [
      {
        id: SEED_CONFIG_ID,
        display_name: 'Fixture MCP Server',
        slug: 'fixture-mcp-server',
        url: 'https://mcp.example.com/sse',
        transport: 'sse',
        auth_type: 'none',
        availability: 'default_on',
        enabled: true,
        created_by: ADMIN_ID,
        updated_by: ADMIN_ID,
        created_at: '2024-01-01T00:00:00Z',
        updated_at: '2024-01-01T00:00:00Z',
      },
      {
        id: FULL_CONFIG_ID,
        display_name: '😀'.repeat(120),
        slug: 'a'.repeat(64),
        description: 'Two\nlines',
        icon_url: 'https://mcp.example.com/icon.png',
        url: `https://mcp.example.com/${'a'.repeat(2_024)}`,
        auth_type: 'oauth2',
        availability: 'force_on',
        enabled: true,
        oauth2_client_id: 'client',
        oauth2_auth_url: 'https://login.example.com/authorize',
        oauth2_token_url: 'https://login.example.com/token',
        oauth2_revocation_url: 'https://login.example.com/revoke',
        oauth2_issuer: 'https://login.example.com',
        oauth2_scopes: ['read', 'write'],
        api_key_header: 'X-Key',
        tool_allow_list: ['a'],
        tool_deny_list: ['b'],
        version: 2_147_483_647,
        ...seal('mcp_server_configs', 'oauth2_client_secret', FULL_CONFIG_ID, 'secret'),
        ...seal('mcp_server_configs', 'api_key_value', FULL_CONFIG_ID, 'key'),
        ...seal('mcp_server_configs', 'custom_headers', FULL_CONFIG_ID, '{"X-A":"v"}'),
      },
      ...['api_key', 'custom_headers'].map((auth_type, index) => ({
        id: `00000000-0000-4000-8000-0000000000e${index}`,
        display_name: auth_type,
        slug: `s${index}`,
        url: 'http://localhost',
        auth_type,
        availability: 'default_off',
      })),
    ]);
    const tokens = 'mcp_server_user_tokens';
    const fullTokenId = '00000000-0000-4000-8000-0000000000f1';
    await insert(database, tokens, [
      {
        id: SEED_TOKEN.id,
        mcp_server_config_id: SEED_CONFIG_ID,
        user_id: ADMIN_ID,
        ...seal(tokens, 'access_token', SEED_TOKEN.id, SEED_TOKEN.accessToken, ADMIN_ID),
        token_type: 'Bearer',
        created_at: '2024-01-01T00:00:00Z',
        updated_at: '2024-01-01T00:00:00Z',
      },
      {
        id: fullTokenId,
        mcp_server_config_id: FULL_CONFIG_ID,
        user_id: MEMBER_ID,
        ...seal(tokens, 'access_token', fullTokenId, 'access', MEMBER_ID),
        ...seal(tokens, 'refresh_token', fullTokenId, 'refresh', MEMBER_ID),
        scopes: ['read'],
        expires_at: '2026-01-01T00:00:00Z',
      },
    ]);
    const chatId = '00000000-0000-4000-8000-0000000000ac';
    const gone = '00000000-0000-4000-8000-00000000dead';
    await insert(database, 'chats', [
      { id: chatId, owner_id: MEMBER_ID, title: 'T', mcp_server_ids: [SEED_CONFIG_ID, gone] },
    ]);
    await insert(database, 'chat_messages', [{ id: chatId, chat_id: chatId, content: 'Hello' }]);
  },
} satisfies Record<string, (database: Database, keyring: Keyring) => Promise<void>>;

export async function insert(database: Database, table: string, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row).map((column) => `"${column}"`);
    const places = columns.map((_, index) => `$${index + 1}`);
    await database.query(`INSERT INTO "${table}" (${columns}) VALUES (${places})`, Object.values(row));
  }
}
