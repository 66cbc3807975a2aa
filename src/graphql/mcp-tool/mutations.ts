import type { McpServerConfigRecord } from '../../data/records.ts';
import type { RefreshResult } from '../../domain/catalogue/catalogue-service.ts';
import { builder } from '../builder.ts';
import './call.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';
import { addFeedCursor } from '../mutation-shape/feed-cursor.ts';

const USE_MCP_SERVER_CONFIG = 'Use `mcpServerConfig`.';

const RefreshMcpServerToolsInput = builder.inputType('RefreshMcpServerToolsInput', {
  description: 'The server whose tools to list.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: "Id of the server's config." }) }),
});

const RefreshMcpServerToolsPayload = builder.objectRef<RefreshResult>('RefreshMcpServerToolsPayload').implement({
  description: 'What listing the tools of a server found.',
  fields: (t) => ({
    mcpServerConfig: t.field({
      type: McpServerConfigType,
      description: 'The config.',
      resolve: ({ config }) => config,
    }),
    config: t.field({
      type: McpServerConfigType,
      description: 'The config.',
      deprecationReason: USE_MCP_SERVER_CONFIG,
      resolve: ({ config }) => config,
    }),
    problem: t.exposeString('problem', {
      nullable: true,
      description:
        'The code of what was wrong, such as TIMEOUT; null if the tools were listed. After a problem, the tools are those of the last list.',
    }),
    approvedCount: t.exposeInt('approvedCount', {
      description:
        'Number of tools that were approved in this step: all, if the config pins its tools and none was approved before.',
    }),
  }),
});

const McpToolApprovalInput = builder.inputType('McpToolApprovalInput', {
  description: 'A tool as an admin saw it.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Exact name on the server.' }),
    digest: t.string({ required: true, description: 'The digest of the definition that is approved.' }),
  }),
});

const ApproveMcpToolsInput = builder.inputType('ApproveMcpToolsInput', {
  description: 'The tools to approve.',
  fields: (t) => ({
    id: t.field({ type: 'UUID', required: true, description: "Id of the server's config." }),
    tools: t.field({ type: [McpToolApprovalInput], required: true, description: 'The tools, 1 to 1,000.' }),
  }),
});

const ApproveMcpToolsPayload = builder
  .objectRef<{ mcpServerConfig: McpServerConfigRecord }>('ApproveMcpToolsPayload')
  .implement({
    description: 'Result of an approval.',
    fields: (t) => ({
      mcpServerConfig: t.expose('mcpServerConfig', { type: McpServerConfigType, description: 'The config.' }),
      config: t.expose('mcpServerConfig', {
        type: McpServerConfigType,
        description: 'The config.',
        deprecationReason: USE_MCP_SERVER_CONFIG,
      }),
    }),
  });

addFeedCursor(RefreshMcpServerToolsPayload);
addFeedCursor(ApproveMcpToolsPayload);

builder.mutationFields((t) => ({
  refreshMcpServerTools: t.field({
    type: RefreshMcpServerToolsPayload,
    description:
      "Lists the tools of a server now: with the admin's own connection, if the server has connections. For admins.",
    args: { input: t.arg({ type: RefreshMcpServerToolsInput, required: true, description: 'The server.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.catalogue.refresh(viewer, input.id),
  }),

  approveMcpTools: t.field({
    type: ApproveMcpToolsPayload,
    description:
      'Approves tools as they are, so that they may be used while the config pins its tools. If one of them has changed since, none is approved. For admins.',
    args: { input: t.arg({ type: ApproveMcpToolsInput, required: true, description: 'The tools.' }) },
    resolve: async (_root, { input }, { viewer, services }) => ({
      mcpServerConfig: await services.catalogue.approve(viewer, { configId: input.id, tools: input.tools }),
    }),
  }),
}));
