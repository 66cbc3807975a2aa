import { builder } from '../builder.ts';
import { McpTransportEnum } from '../mcp-server-config/enums.ts';
import { OAuthDiscoveryType } from './type.ts';

builder.queryFields((t) => ({
  discoverMcpServerOAuth: t.field({
    type: OAuthDiscoveryType,
    description:
      'A dry run of OAuth discovery: what is found where, and what is wrong. Sends requests to the MCP server and its authorization server, but stores and registers nothing. For admins.',
    deprecationReason: 'Use the mutation discoverMcpServerOAuth: it is recorded, and no link can start it.',
    args: {
      url: t.arg.string({ required: true, description: 'URL of the MCP server.' }),
      transport: t.arg({
        type: McpTransportEnum,
        required: false,
        description: 'Transport of the MCP server. Default: STREAMABLE_HTTP.',
      }),
    },
    resolve: (_root, { url, transport }, { viewer, services }) =>
      services.configs.discoverOAuth(viewer, { url, transport: transport ?? 'streamable_http' }),
  }),
}));
