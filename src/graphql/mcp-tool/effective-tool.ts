import type { EffectiveTool } from '../../domain/catalogue/effective-tools.ts';
import { builder } from '../builder.ts';
import { McpServerStateEnum } from '../mcp-server-config/enums.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';
import { EffectiveMcpToolSourceEnum } from './enums.ts';
import { McpToolType } from './type.ts';

/** `EffectiveMcpTool` */
export const EffectiveMcpToolType = builder.objectRef<EffectiveTool>('EffectiveMcpTool').implement({
  description: 'A tool that a user can use.',
  fields: (t) => ({
    tool: t.field({ type: McpToolType, description: 'The tool.', resolve: ({ tool }) => tool }),
    config: t.field({ type: McpServerConfigType, description: 'Its server.', resolve: ({ config }) => config }),
    source: t.expose('source', { type: EffectiveMcpToolSourceEnum, description: 'Why the tool is there.' }),
    state: t.expose('state', { type: McpServerStateEnum, description: 'Whether the user can use the server: READY.' }),
  }),
});
