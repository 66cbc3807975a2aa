import { builder } from '../builder.ts';

builder.queryFields((t) => ({
  exportMcpServers: t.string({
    description:
      'All MCP servers as a file for `importMcpServers`. Secrets are replaced by placeholders. For admins and auditors.',
    resolve: (_root, _args, { viewer, services }) => services.transfer.export(viewer),
  }),
}));
