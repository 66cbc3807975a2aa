import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MCP_AVAILABILITIES,
  MCP_TRANSPORTS,
  type McpServerConfigRecord,
  OAUTH_CALLBACK_MODES,
  OAUTH_RESOURCE_MODES,
} from '../../src/data/records.ts';
import { toDraft } from '../../src/domain/configs/config-draft.ts';
import { checkDraft } from '../../src/domain/configs/config-rules.ts';
import { exportServers } from '../../src/domain/server-files/export-servers.ts';
import { parseServerFile } from '../../src/domain/server-files/parse-server-file.ts';
import { Issues } from '../../src/domain/validation/issues.ts';
import { toNameList } from '../../src/domain/validation/text.ts';
import { apiKeyRecord, configRecord } from './config-record.ts';
import { diffServers } from './diff-file.ts';

const url = fc.webUrl({ validSchemes: ['https'] }).map((text) => text.toLowerCase());
const optionalUrl = fc.oneof(fc.constant(''), url);
const names = fc.array(fc.stringMatching(/^[!-~]{1,12}$/), { maxLength: 3 }).map(toNameList);
const scopes = fc.array(fc.stringMatching(/^[a-z:]{1,12}$/), { maxLength: 3 }).map(toNameList);
const line = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .map((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/gu, '').trim());

const credentials = fc.oneof(
  fc.record({ authType: fc.constant('none' as const), hasApiKey: fc.boolean() }),
  fc.record({
    authType: fc.constant('oauth2' as const),
    oauth2ClientId: fc.stringMatching(/^[!-~]{1,12}$/),
    oauth2AuthUrl: url,
    oauth2TokenUrl: url,
    oauth2RevocationUrl: optionalUrl,
    oauth2Scopes: scopes,
    oauth2ResourceMode: fc.constantFrom(...OAUTH_RESOURCE_MODES),
    oauth2CallbackMode: fc.constantFrom(...OAUTH_CALLBACK_MODES),
    hasOAuth2Secret: fc.boolean(),
  }),
  fc.record({
    authType: fc.constant('api_key' as const),
    apiKeyHeader: fc.constantFrom('Authorization', '__proto__', 'constructor'),
    hasApiKey: fc.constant(true),
  }),
  fc.record({ authType: fc.constant('custom_headers' as const), hasCustomHeaders: fc.constant(true) }),
);

const config = fc
  .tuple(
    fc.record({
      slug: fc.stringMatching(/^[a-z0-9]{1,8}(-[a-z0-9]{1,8})?$/),
      displayName: line.map((text) => text || 'Server'),
      description: fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.replaceAll('\0', '').trim()),
      iconUrl: optionalUrl,
      url,
      transport: fc.constantFrom(...MCP_TRANSPORTS),
      availability: fc.constantFrom(...MCP_AVAILABILITIES),
      enabled: fc.boolean(),
      toolAllowList: names,
      toolDenyList: names,
    }),
    credentials,
  )
  .map(([plain, secret]) => configRecord({ ...plain, ...secret }));

const configs = fc.uniqueArray(config, { selector: ({ slug }) => slug, maxLength: 5 });

/** Whether the rules accept the config unchanged. */
function isValid(record: McpServerConfigRecord): boolean {
  const issues = new Issues();
  const draft = toDraft(issues, {}, record);
  checkDraft(issues, { draft, input: {}, before: { config: record, secretOrigins: {} } }, () => false);
  issues.throwIfAny();
  return true;
}

describe('an export', () => {
  test('changes nothing when it is imported again', () => {
    fc.assert(
      fc.property(configs, (records) => {
        expect(records.every(isValid)).toBe(true);
        const file = parseServerFile(exportServers(records));
        const diffs = diffServers(file, records);
        expect(diffs).toHaveLength(records.length);
        expect(diffs.filter(({ kind, secretsMissing }) => kind !== 'unchanged' || secretsMissing.length > 0)).toEqual(
          [],
        );
      }),
    );
  });

  test('creates the same servers elsewhere, without their secrets', () => {
    fc.assert(
      fc.property(config, (record) => {
        const [server] = parseServerFile(exportServers([record])).servers;
        if (server === undefined) throw new Error('It was skipped.');
        const draft = toDraft(new Issues(), server.input);
        const { oauth2ClientSecret, apiKeyValue, customHeaders, ...plain } = draft;
        expect(record).toMatchObject(plain);
        const fields = new Set(server.secrets.map(({ field }) => field));
        expect(fields.has('oauth2ClientSecret')).toBe(record.hasOAuth2Secret);
        expect(fields.has('apiKeyValue')).toBe(record.hasApiKey);
        expect(fields.has('customHeaders')).toBe(record.hasCustomHeaders);
      }),
    );
  });

  test('does not depend on the order of the configs', () => {
    fc.assert(
      fc.property(configs, (records) => {
        expect(exportServers(records.toReversed())).toBe(exportServers(records));
      }),
    );
  });

  test('has every field of the schema', () => {
    const record = apiKeyRecord({ toolAllowList: ['search'], enabled: true, availability: 'force_on' });
    expect(exportServers([record])).toBe(`{
  "gatehouse": 1,
  "servers": {
    "github": {
      "displayName": "GitHub",
      "description": "",
      "iconUrl": null,
      "url": "https://mcp.example.com/mcp",
      "transport": "STREAMABLE_HTTP",
      "enabled": true,
      "availability": "FORCE_ON",
      "toolAllowList": [
        "search"
      ],
      "toolDenyList": [],
      "toolApproval": "AUTO",
      "exposeResources": false,
      "exposePrompts": false,
      "authType": "API_KEY",
      "oauth2ClientId": null,
      "oauth2AuthUrl": null,
      "oauth2TokenUrl": null,
      "oauth2RevocationUrl": null,
      "oauth2Issuer": null,
      "oauth2Scopes": [],
      "oauth2ResourceMode": "AUTO",
      "oauth2CallbackMode": "OWN",
      "apiKeyHeader": "Authorization",
      "apiKeyValue": "\u0024{secret:apiKeyValue}"
    }
  }
}
`);
  });

  test('restores a config', () => {
    const before = configRecord({ description: '', iconUrl: '', toolDenyList: [] });
    const file = parseServerFile(exportServers([before]));
    const changed = { ...before, description: 'x', iconUrl: 'https://icons.example/x.png', toolDenyList: ['delete'] };
    expect(diffServers(file, [changed])[0]?.changes).toEqual([
      { field: 'description', before: 'x', after: '' },
      { field: 'iconUrl', before: 'https://icons.example/x.png', after: '' },
      { field: 'toolDenyList', before: '["delete"]', after: '' },
    ]);
  });
});

describe('a file in our own format', () => {
  test('may omit defaults, and accepts choices in lower case', () => {
    const servers = { 'Git Hub': { url: 'https://mcp.example.com/mcp', authType: 'none' } };
    const [server] = parseServerFile(JSON.stringify({ gatehouse: 1, servers })).servers;
    expect(server?.input).toEqual({
      slug: 'git-hub',
      displayName: 'Git Hub',
      url: 'https://mcp.example.com/mcp',
      authType: 'none',
    });
    expect(server?.notes.join()).toMatch(/not a valid slug.*"git-hub"/);
  });
});
