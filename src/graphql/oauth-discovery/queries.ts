import { builder } from '../builder.ts';
import { McpTransportEnum } from '../mcp-server-config/enums.ts';
import { OAuthDiscoveryType } from './type.ts';

builder.queryFields((t) => ({
  discoverMcpServerOAuth: t.field({
    type: OAuthDiscoveryType,
    description:
      'A dry run of discovery: what is found where, and what is wrong. Asks other servers; stores and registers nothing. For admins.',
    args: {
      url: t.arg.string({ required: true, description: 'Where the MCP server is.' }),
      transport: t.arg({ type: McpTransportEnum, required: false, description: 'Default: STREAMABLE_HTTP.' }),
    },
    resolve: (_root, { url, transport }, { viewer, services }) =>
      services.configs.discoverOAuth(viewer, { url, transport: transport ?? 'streamable_http' }),
  }),
}));
