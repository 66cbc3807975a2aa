import { expect } from 'vitest';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import type { Database } from '../../src/data/database/database.ts';
import { sealV1 } from '../setup/seal-v1.ts';
import {
  ADMIN_ID,
  FIRST_ROWS,
  FULL_CONFIG_ID,
  HASH,
  insert,
  MEMBER_ID,
  SEED_CONFIG_ID,
} from './first-migration-rows.ts';

/**
 * The fullest rows that the database can hold after each migration: the next one must be able to migrate them. When you
 * add a migration, add its rows here, in plain SQL of that time, because today's code knows only the newest schema.
 */
export const ROWS: Readonly<Record<string, (database: Database, keyring: Keyring) => Promise<void>>> = {
  ...FIRST_ROWS,
  async '20261123140442_connections'(database, keyring) {
    const id = '00000000-0000-4000-8000-0000000000f2';
    const place = { table: 'mcp_oauth_flows', column: 'code_verifier', rowId: id, ownerId: MEMBER_ID };
    const verifier = sealV1(keyring.active, 'verifier', place);
    await insert(database, 'mcp_oauth_flows', [
      {
        id,
        state_hash: HASH,
        browser_hash: HASH,
        mcp_server_config_id: FULL_CONFIG_ID,
        user_id: MEMBER_ID,
        issuer: 'https://login.example.com',
        is_iss_required: true,
        token_url: 'https://login.example.com/token',
        client_id: 'client',
        code_verifier: verifier,
        code_verifier_key_id: keyring.active.digest,
        scopes: ['read'],
        expires_at: '2026-01-01T00:00:00Z',
      },
    ]);
    await insert(database, 'mcp_server_oauth_discoveries', [
      {
        mcp_server_config_id: FULL_CONFIG_ID,
        resource: 'https://mcp.example.com/',
        iss_parameter_supported: true,
        scopes: ['read'],
        registration_url: 'https://login.example.com/register',
        token_auth_methods: ['none'],
        client_mode: 'registered',
        client_auth_method: 'client_secret_post',
        client_secret_expires_at: '9999-12-31T23:59:59Z',
        client_is_unknown: true,
        registration_lease_id: id,
        registration_lease_until: '2026-01-01T00:00:00Z',
      },
      {
        mcp_server_config_id: SEED_CONFIG_ID,
        resource: '',
        iss_parameter_supported: false,
        client_mode: 'metadata_document',
        client_auth_method: 'none',
      },
    ]);
    await insert(database, 'mcp_server_ended_connections', [
      { mcp_server_config_id: SEED_CONFIG_ID, user_id: MEMBER_ID, reason: '😀'.repeat(400) },
    ]);
    await database.query(`UPDATE mcp_server_configs SET oauth2_resource_mode = 'omit' WHERE slug = 's0'`);
    await database.query(
      `UPDATE mcp_server_user_tokens SET requested_scopes = '{a}', wanted_scopes = '{b}', step_up_rounds = 3,
         refresh_failures = 7, retry_at = now(), refresh_lease_id = $1::uuid, refresh_lease_until = now()`,
      [id],
    );
  },
  async '20261123144920_audit_log'(database) {
    await insert(database, 'audit_entries', [
      {
        seq: '9223372036854775807',
        occurred_at: '2026-01-01T00:00:00Z',
        actor_kind: 'user',
        actor_id: MEMBER_ID,
        actor_email: 'b',
        actor_role: 'member',
        action: 'mcpServerConfig.update',
        outcome: 'denied',
        target_type: 'mcp_server_config',
        target_id: FULL_CONFIG_ID,
        target_label: 'a',
        changes: '[{"field":"enabled","before":false,"after":true}]',
        reason: 'r',
        request_id: 'q',
        address: '::1',
        previous_hash: HASH,
        hash: HASH,
      },
    ]);
  },
  async '20261123152045_change_feed'(database) {
    await insert(database, 'config_changes', [
      {
        rev: '9223372036854775807',
        kind: 'connection',
        config_id: FULL_CONFIG_ID,
        user_id: MEMBER_ID,
        enabled_before: true,
        enabled_after: false,
        changed_columns: ['url'],
      },
    ]);
  },
  async '20261124210000_connection_changes_with_config'(database) {
    await insert(database, 'config_changes', [
      {
        rev: '9223372036854775806',
        kind: 'connection',
        config_id: FULL_CONFIG_ID,
        user_id: MEMBER_ID,
        enabled_before: true,
        enabled_after: true,
        config: '{}',
      },
    ]);
  },
  async '20261128163535_connection_liveness'(database) {
    await database.query(`UPDATE mcp_server_user_tokens
      SET refresh_refusals = 1, refused_since = '2026-01-01T00:00:00Z', blocked_reason = 'r'`);
  },
  async '20261128170014_scope_requests'(database) {
    await insert(database, 'mcp_server_scope_requests', [
      {
        mcp_server_config_id: FULL_CONFIG_ID,
        user_id: MEMBER_ID,
        requested_scopes: ['a'],
        wanted_scopes: ['b'],
        step_up_rounds: 3,
      },
    ]);
  },
  async '20261128171205_former_clients'(database, keyring) {
    const id = '00000000-0000-4000-8000-0000000000f3';
    const place = { table: 'mcp_server_former_clients', column: 'client_secret', rowId: id, ownerId: undefined };
    const secret = sealV1(keyring.active, 'secret', place);
    await insert(database, 'mcp_server_former_clients', [
      {
        id,
        mcp_server_config_id: FULL_CONFIG_ID,
        client_id: 'client',
        client_secret: secret,
        client_secret_key_id: keyring.active.digest,
        client_auth_method: 'client_secret_post',
      },
    ]);
  },
  async '20261128201237_quotas'(database) {
    // The migration has counted the rows of the first one.
    const counted = await database.query(
      `SELECT u.chats, u.message_bytes::int AS bytes, c.message_count AS messages, c.message_bytes::int AS chat_bytes
       FROM user_usage u JOIN chats c ON c.owner_id = u.user_id`,
    );
    expect(counted).toEqual([{ chats: 1, bytes: 205, messages: 1, chat_bytes: 205 }]);
    expect(await database.query('SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM user_usage)')).toEqual([]);
    await database.query(`UPDATE user_usage SET chats = 2147483647, message_bytes = 9223372036854775807`);
    await database.query(`UPDATE chats SET message_count = 2147483647`);
  },
  async '20261128210000_audit_chain_forward_only'(database) {
    // No new rows, but the old one is protected.
    await expect(database.query('DELETE FROM audit_chain')).rejects.toThrow('only move forward');
  },
  async '20261129140000_spared_configs'(database) {
    await database.query('UPDATE feed_counter SET config_touches = 7');
  },
  async '20261128213500_envelope_v2'(database, keyring) {
    const place = { table: 'mcp_server_configs', column: 'api_key_value', rowId: SEED_CONFIG_ID, ownerId: undefined };
    const content = { text: 'key of v2', origins: ['https://mcp.example.com'] };
    await database.query(
      'UPDATE mcp_server_configs SET api_key_value = $1, api_key_value_key_id = $2 WHERE id = $3::uuid',
      [sealEnvelope(keyring.active, content, place), keyring.active.digest, SEED_CONFIG_ID],
    );
  },
  async '20261128214000_shared_callback'(database) {
    await database.query(`UPDATE mcp_server_configs SET oauth2_callback_mode = 'shared' WHERE slug = 's0'`);
  },
  async '20261128214100_followed_servers'(database) {
    await database.query('UPDATE mcp_server_oauth_discoveries SET is_pinned = true, moved_at = now()');
  },
  async '20261129090500_imported_approvals'(database) {
    await insert(database, 'mcp_server_imported_approvals', [
      {
        id: '00000000-0000-4000-8000-0000000000e9',
        mcp_server_config_id: FULL_CONFIG_ID,
        name: '😀'.repeat(128),
        digest: HASH,
        approved_by: ADMIN_ID,
        approved_at: 'now',
      },
    ]);
  },
  async '20261128223000_tool_catalogue'(database) {
    const other = 'cd'.repeat(32);
    const tool = {
      mcp_server_config_id: FULL_CONFIG_ID,
      name: '😀'.repeat(128),
      skeleton: 'a',
      definition: '{}',
      digest: HASH,
    };
    const times = { changed_at: '2026-01-01T00:00:00Z', gone_at: '2026-01-01T00:00:00Z' };
    const approval = { approved_digest: other, approved_definition: '{}', approved_by: ADMIN_ID, approved_at: 'now' };
    const id = (last: string) => `00000000-0000-4000-8000-0000000000${last}`;
    await insert(database, 'mcp_server_tools', [
      { ...tool, id: id('f4'), status: 'gone', ...times, ...approval },
      { ...tool, id: id('f5'), status: 'listed', user_id: MEMBER_ID },
      { ...tool, id: id('f6'), status: 'absent', user_id: MEMBER_ID, name: 'b', definition: '', digest: '' },
    ]);
    const list = {
      mcp_server_config_id: FULL_CONFIG_ID,
      listed_at: 'now',
      stale_at: 'now',
      attempted_at: 'now',
      left_out: 1,
    };
    await insert(database, 'mcp_server_tool_lists', [
      { ...list, id: id('f7'), listed_by: ADMIN_ID, lease_id: id('f7'), lease_until: 'now' },
      { ...list, id: id('f8'), user_id: MEMBER_ID },
    ]);
    await insert(database, 'mcp_server_reachability', [
      {
        mcp_server_config_id: FULL_CONFIG_ID,
        reachable: false,
        checked_at: 'now',
        problem: 'TIMEOUT',
        latency_ms: 1,
        protocol_version: '2026-07-28',
        server_name: 'n',
        server_version: 'v',
        instructions: 'i',
      },
    ]);
    await database.query(`UPDATE mcp_server_configs SET tool_approval = 'pin' WHERE slug = 's0'`);
  },
  async '20261129014500_token_scopes'(database) {
    await insert(database, 'api_tokens', [
      {
        id: '00000000-0000-4000-8000-0000000000c3',
        user_id: MEMBER_ID,
        name: 'tools',
        token_hash: 'ef'.repeat(32),
        scopes: '{mcp}',
        mcp_server_ids: `{${SEED_CONFIG_ID}}`,
      },
    ]);
  },
  async '20261129020000_user_lists'(database) {
    await insert(database, 'users', [
      { id: '00000000-0000-4000-8000-0000000000a9', email: 'Ünlisted@example.com', updated_at: new Date(0) },
    ]);
  },
  async '20261129120000_api_token_lists'(database) {
    await database.query(`UPDATE api_tokens SET name = 'Ünlisted', last_used_at = '1970-01-01T00:00:00Z'`);
  },
  async '20261129124500_list_indexes'(database) {
    await database.query(`UPDATE sessions SET last_seen_at = '1970-01-01T00:00:00Z'`);
  },
  async '20261129035422_browser_sign_in'(database) {
    await database.query(`UPDATE users SET oidc_role_at = '1970-01-01T00:00:00Z' WHERE id = '${MEMBER_ID}'`);
    const columns = { user_id: MEMBER_ID, oidc_issuer: 'https://a.example', expires_at: '9999-12-31T23:59:59Z' };
    await insert(database, 'sessions', [
      {
        ...columns,
        id: '00000000-0000-4000-8000-0000000000d3',
        oidc_session_id: '😀'.repeat(255),
        token_hash: 'ef'.repeat(32),
      },
      { ...columns, id: '00000000-0000-4000-8000-0000000000d4', token_hash: '01'.repeat(32) },
    ]);
    await insert(database, 'oidc_single_uses', [{ digest: HASH, expires_at: 'now' }]);
  },
  async '20261129082000_rate_counts'(database) {
    await insert(database, 'rate_counts', [{ name: 'n', points: 2_147_483_647, ends_at: 'now' }]);
  },
  async '20261129112455_call_usage'(database) {
    const counts = { hour: 'now', calls: 2_147_483_647, errors: 2_147_483_647, denied: 2_147_483_647 };
    await insert(database, 'mcp_server_call_hours', [
      { ...counts, mcp_server_config_id: FULL_CONFIG_ID, durations: `{${Array(48).fill('2147483647').join()}}` },
    ]);
    await insert(database, 'mcp_server_callers', [
      { mcp_server_config_id: FULL_CONFIG_ID, user_id: MEMBER_ID, last_hour: 'now' },
    ]);
  },
  async '20261129115345_expose_resources_and_prompts'(database) {
    await database.query(`UPDATE mcp_server_configs SET expose_prompts = true WHERE slug = 's0'`);
  },
  async '20261129084528_oidc_logouts'(database) {
    const times = { issued_at: 'now', received_at: 'now', expires_at: 'now' };
    await insert(database, 'oidc_logouts', [{ digest: HASH, ...times }]);
  },
  async '20261129112500_tool_listeners'(database) {
    await database.query(
      `UPDATE mcp_server_tool_lists SET listener_id = gen_random_uuid(), listener_until = now() WHERE user_id IS NULL`,
    );
  },
  async '20261129130000_audit_many_at_once'(database) {
    // No new rows, but the old one is still protected.
    await expect(database.query('DELETE FROM audit_chain')).rejects.toThrow('only move forward');
  },
};
