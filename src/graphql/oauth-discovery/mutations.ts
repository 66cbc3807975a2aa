import type { SetupReport } from '../../domain/connections/oauth-setup.ts';
import { builder } from '../builder.ts';
import { McpTransportEnum } from '../mcp-server-config/enums.ts';
import { OAuthDiscoveryType } from './type.ts';

const DiscoverMcpServerOAuthInput = builder.inputType('DiscoverMcpServerOAuthInput', {
  description: 'The MCP server whose authorization server to discover.',
  fields: (t) => ({
    url: t.string({ required: true, description: 'URL of the MCP server.' }),
    transport: t.field({
      type: McpTransportEnum,
      required: false,
      description: 'Transport of the MCP server. Default: STREAMABLE_HTTP.',
    }),
  }),
});

const DiscoverMcpServerOAuthPayload = builder
  .objectRef<{ discovery: SetupReport }>('DiscoverMcpServerOAuthPayload')
  .implement({
    description: 'Result of `discoverMcpServerOAuth`.',
    fields: (t) => ({
      discovery: t.expose('discovery', { type: OAuthDiscoveryType, description: 'What was found.' }),
    }),
  });

builder.mutationFields((t) => ({
  discoverMcpServerOAuth: t.field({
    type: DiscoverMcpServerOAuthPayload,
    description:
      'A dry run of OAuth discovery: what is found where, and what is wrong. Sends requests to the MCP server and its authorization server, but stores no settings and registers nothing. Recorded in the audit log. For admins.',
    args: { input: t.arg({ type: DiscoverMcpServerOAuthInput, required: true, description: 'The MCP server.' }) },
    resolve: async (_root, { input: { url, transport } }, { viewer, services }) => ({
      discovery: await services.configs.discoverOAuthAndRecord(viewer, {
        url,
        transport: transport ?? 'streamable_http',
      }),
    }),
  }),
}));
