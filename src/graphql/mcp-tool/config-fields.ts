import type { McpReachabilityRecord } from '../../data/records.ts';
import { CatalogueTool } from '../../domain/catalogue/catalogue-tool.ts';
import { findListWarnings } from '../../domain/catalogue/tool-list-warnings.ts';
import { builder, visibleWith } from '../builder.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';
import { decodeCursor, encodeCursor, pageArgs, toConnection, toPageSize } from '../pagination.ts';
import { McpReachabilityStateEnum, McpToolDecisionEnum } from './enums.ts';
import { McpToolListWarningType } from './list-warning.ts';
import { McpToolType } from './type.ts';

const CURSOR_KIND = 'mcpTool';
const STAFF = 'For admins, auditors and services; null for members, and if not known.';
const staffField = visibleWith('mcpServerConfig.readAdminFields');

const McpReachabilityType = builder.objectRef<{ found: McpReachabilityRecord | null }>('McpReachability').implement({
  description: 'Whether a server answered when it was last called, whoever called it.',
  fields: (t) => ({
    state: t.field({
      type: McpReachabilityStateEnum,
      description: 'Whether the server answers.',
      resolve: ({ found }) => (found === null ? 'unknown' : found.reachable ? 'reachable' : 'unreachable'),
    }),
    checkedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the server was last called; null if never.',
      resolve: ({ found }) => found?.checkedAt ?? null,
    }),
    problem: t.string({
      ...staffField,
      description: `The code of what was wrong, such as TIMEOUT or UNAUTHORIZED; see docs/errors.md. ${STAFF}`,
      resolve: ({ found }) => found?.problem ?? null,
    }),
    latencyMs: t.int({
      ...staffField,
      description: `How long the answer took, in milliseconds. ${STAFF}`,
      resolve: ({ found }) => found?.latencyMs ?? null,
    }),
    protocolVersion: t.string({
      ...staffField,
      description: `The revision of MCP that was spoken. ${STAFF}`,
      resolve: ({ found }) => found?.protocolVersion ?? null,
    }),
    serverName: t.string({
      ...staffField,
      description: `What the server calls itself. ${STAFF}`,
      resolve: ({ found }) => found?.serverName ?? null,
    }),
    serverVersion: t.string({
      ...staffField,
      description: `The server's version. ${STAFF}`,
      resolve: ({ found }) => found?.serverVersion ?? null,
    }),
    instructions: t.string({
      ...staffField,
      description: `What the server tells models about its use. Plain text, not HTML. ${STAFF}`,
      resolve: ({ found }) => found?.instructions ?? null,
    }),
  }),
});

const McpToolConnection = builder.connectionObject(
  { type: McpToolType, name: 'McpToolConnection', description: 'A page of tools.' },
  { name: 'McpToolEdge', description: 'A tool and its cursor.' },
);

const McpToolFilter = builder.inputType('McpToolFilter', {
  description: 'Restricts a list of tools. All given conditions must hold.',
  fields: (t) => ({
    decision: t.field({ type: McpToolDecisionEnum, required: false, description: 'Only tools with this decision.' }),
    search: t.string({ required: false, description: 'Only tools with this in their name, in any case.' }),
  }),
});

builder.objectFields(McpServerConfigType, (t) => ({
  reachability: t.field({
    type: McpReachabilityType,
    description: 'Whether the server answers. Whether a user may use it is another question: see `viewerState`.',
    resolve: async (config, _args, { loaders }) => ({ found: await loaders.reachability.load(config.id) }),
  }),
  toolListWarnings: t.field({
    type: [McpToolListWarningType],
    ...staffField,
    description:
      'The names on the allow and deny lists that the server does not list as tools: perhaps they are misspelled. Empty while its tools are not known. For admins, auditors and services; null for members.',
    resolve: async (config, _args, { loaders }) => findListWarnings(config, await loaders.serverTools.load(config)),
  }),
  tools: t.field({
    type: McpToolConnection,
    description:
      'The tools of the server, sorted by name. Members see those that they may use; admins, auditors and services all, with the decision.',
    args: {
      ...pageArgs,
      filter: t.arg({ type: McpToolFilter, required: false, description: 'Restricts the list.' }),
    },
    resolve: async (config, args, context) => {
      const first = toPageSize(args.first);
      const [after] = args.after == null ? [] : decodeCursor(context, CURSOR_KIND, args.after);
      const { decision, search } = args.filter ?? {};
      const wanted = search?.toLowerCase();
      const found = (await context.loaders.serverTools.load(config)).filter(
        (each) =>
          (decision == null || each.decision === decision) &&
          (wanted === undefined || each.tool.name.toLowerCase().includes(wanted)),
      );
      const rest = after === undefined ? found : found.filter(({ tool }) => tool.name > after);
      const rows = rest.slice(0, first).map((each) => new CatalogueTool(config, each));
      return toConnection(
        { rows, hasMore: rest.length > first },
        ({ tool }) => encodeCursor(context, CURSOR_KIND, [tool.name]),
        async () => found.length,
      );
    },
  }),
}));
