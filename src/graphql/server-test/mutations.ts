import { Secret } from '../../crypto/secret.ts';
import type { ServerTest } from '../../domain/upstreams/server-test.ts';
import { builder } from '../builder.ts';
import { McpAuthTypeEnum, McpTransportEnum } from '../mcp-server-config/enums.ts';
import { HttpHeaderInput } from '../mcp-server-config/inputs.ts';
import { formerResult } from '../mutation-shape/former-fields.ts';
import { McpServerTestType } from './type.ts';

const McpServerTestSettingsInput = builder.inputType('McpServerTestSettingsInput', {
  description: 'Settings that are only tested. With an id, an absent field is as it is stored.',
  fields: (t) => ({
    url: t.string({
      required: false,
      description: 'URL of the server. Stored secrets are not sent to another origin: give them again.',
    }),
    transport: t.field({ type: McpTransportEnum, required: false, description: 'Its transport.' }),
    authType: t.field({ type: McpAuthTypeEnum, required: false, description: 'Which credentials are sent.' }),
    apiKeyHeader: t.string({ required: false, description: 'Name of the header that carries the API key.' }),
    apiKeyValue: t.string({ required: false, description: 'The complete value of that header. Not stored.' }),
    customHeaders: t.field({
      type: [HttpHeaderInput],
      required: false,
      description: 'All custom headers. Not stored.',
    }),
  }),
});

const TestMcpServerInput = builder.inputType('TestMcpServerInput', {
  description: 'The MCP server to test: a stored one, settings that are not stored, or a stored one with changes.',
  fields: (t) => ({
    id: t.field({ type: 'UUID', required: false, description: 'Id of a stored config.' }),
    settings: t.field({
      type: McpServerTestSettingsInput,
      required: false,
      description: 'Settings to test. Required without an id.',
    }),
  }),
});

const TestMcpServerPayload = builder.objectRef<{ test: ServerTest }>('TestMcpServerPayload').implement({
  description: 'Result of `testMcpServer`.',
  fields: (t) => ({
    test: t.expose('test', { type: McpServerTestType, description: 'What was found.', ...formerResult }),
  }),
});

builder.mutationFields((t) => ({
  testMcpServer: t.field({
    type: TestMcpServerPayload,
    description:
      'Tests an MCP server step by step, and says what to do. Sends requests to the server, also with its credentials and with those of the caller. Stores nothing but an entry in the audit log. For admins.',
    args: { input: t.arg({ type: TestMcpServerInput, required: true, description: 'The MCP server.' }) },
    resolve: async (_root, { input: { id, settings } }, { viewer, services }) => ({
      test: await services.serverTests.test(viewer, {
        id: id ?? undefined,
        settings: {
          url: settings?.url ?? undefined,
          transport: settings?.transport ?? undefined,
          authType: settings?.authType ?? undefined,
          apiKeyHeader: settings?.apiKeyHeader ?? undefined,
          apiKeyValue: settings?.apiKeyValue == null ? undefined : new Secret(settings.apiKeyValue),
          customHeaders: settings?.customHeaders?.map(({ name, value }) => ({ name, value: new Secret(value) })),
        },
      }),
    }),
  }),
}));
