import type { CatalogueTool } from '../../domain/catalogue/catalogue-tool.ts';
import type { DefinitionFieldChange, TextChange, ToolChange } from '../../domain/catalogue/tool-change.ts';
import type { ToolBehaviour } from '../../domain/catalogue/tool-summary.ts';
import { builder, visibleWith } from '../builder.ts';
import { McpTextChangeKindEnum, McpToolDecisionEnum, McpToolWarningEnum } from './enums.ts';

const McpToolAnnotationsType = builder.objectRef<ToolBehaviour>('McpToolAnnotations').implement({
  description: 'What a server says about how a tool behaves (MCP, "ToolAnnotations"). The gateway does not check it.',
  fields: (t) => ({
    title: t.exposeString('title', { nullable: true, description: 'A title for people; null if not given.' }),
    readOnlyHint: t.exposeBoolean('readOnlyHint', {
      nullable: true,
      description: 'Whether the tool changes nothing; null if not given.',
    }),
    destructiveHint: t.exposeBoolean('destructiveHint', {
      nullable: true,
      description: 'Whether the tool may destroy something; null if not given.',
    }),
    idempotentHint: t.exposeBoolean('idempotentHint', {
      nullable: true,
      description: 'Whether calling the tool again with the same arguments changes nothing more; null if not given.',
    }),
    openWorldHint: t.exposeBoolean('openWorldHint', {
      nullable: true,
      description: 'Whether the tool reaches things outside of the server; null if not given.',
    }),
  }),
});

const McpTextChangeType = builder.objectRef<TextChange>('McpTextChange').implement({
  description: 'A piece of a description, in the order of the text.',
  fields: (t) => ({
    kind: t.expose('kind', { type: McpTextChangeKindEnum, description: 'What became of the piece.' }),
    text: t.exposeString('text', {
      description: 'The text. Characters that cannot be seen are written like `\\u{200b}`.',
    }),
  }),
});

const McpToolFieldChangeType = builder.objectRef<DefinitionFieldChange>('McpToolFieldChange').implement({
  description: 'A field of a tool definition that differs from what was approved.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'The field, such as `inputSchema.properties.path.type`.' }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The approved value; null if there was none.',
      resolve: ({ before }) => before ?? null,
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The present value; null if there is none.',
      resolve: ({ after }) => after ?? null,
    }),
  }),
});

const McpToolChangeType = builder.objectRef<ToolChange>('McpToolChange').implement({
  description: 'How a tool differs from what was approved.',
  fields: (t) => ({
    approved: t.field({
      type: 'JSON',
      description: 'The approved definition, as the server sent it.',
      resolve: ({ approved }) => approved,
    }),
    present: t.field({
      type: 'JSON',
      description: 'The present definition, as the server sent it.',
      resolve: ({ present }) => present,
    }),
    description: t.field({
      type: [McpTextChangeType],
      description: 'The description, word by word; empty if it is the same.',
      resolve: ({ description }) => description,
    }),
    fields: t.field({
      type: [McpToolFieldChangeType],
      description: 'The other fields that differ, sorted by path; the first 200.',
      resolve: ({ fields }) => fields,
    }),
    hasMoreFields: t.boolean({
      description: 'Whether more fields differ than are listed.',
      resolve: ({ hasMore }) => hasMore,
    }),
  }),
});

/** `McpTool` */
export const McpToolType = builder.objectRef<CatalogueTool>('McpTool').implement({
  description: 'A tool of an MCP server, as the server last listed it.',
  fields: (t) => ({
    id: t.id({ description: 'Id of the tool in the catalogue.', resolve: ({ tool }) => tool.id }),
    name: t.string({
      description: 'Exact name on the server, as in allow and deny lists.',
      resolve: ({ tool }) => tool.name,
    }),
    shownAs: t.exposeString('shownAs', { description: 'The name that models see.' }),
    title: t.string({
      nullable: true,
      description: 'A title for people; null if not given.',
      resolve: ({ summary }) => summary.title,
    }),
    description: t.string({
      nullable: true,
      description: 'What the tool does, in the words of the server; null if not given. Plain text, not HTML.',
      resolve: ({ summary }) => summary.description,
    }),
    inputSchema: t.field({
      type: 'JSON',
      description: 'JSON Schema of the arguments, as the server sent it.',
      resolve: ({ definition, tool }, _args, { budget }) =>
        budget.reserve(tool.definition.length) ? definition.inputSchema : {},
    }),
    outputSchema: t.field({
      type: 'JSON',
      nullable: true,
      description: 'JSON Schema of structured results, as the server sent it; null if not given.',
      resolve: ({ definition, tool }, _args, { budget }) =>
        budget.reserve(tool.definition.length) ? (definition.outputSchema ?? null) : null,
    }),
    annotations: t.field({
      type: McpToolAnnotationsType,
      description: 'What the server says about how the tool behaves.',
      resolve: ({ summary }) => summary.annotations,
    }),
    decision: t.expose('decision', { type: McpToolDecisionEnum, description: 'Whether the tool may be used.' }),
    digest: t.string({
      description:
        'SHA-256, in hexadecimal, of the canonical JSON (RFC 8785) of the name, title, description, schemas and annotations. An approval names it.',
      resolve: ({ tool }) => tool.digest,
    }),
    firstSeenAt: t.field({
      type: 'DateTime',
      description: 'When the server first listed the tool.',
      resolve: ({ tool }) => tool.firstSeenAt,
    }),
    changedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its definition last changed; null if it never did.',
      resolve: ({ tool }) => tool.changedAt,
    }),
    goneAt: t.field({
      type: 'DateTime',
      ...visibleWith('mcpServerTool.readAny'),
      description:
        'Since when the server no longer lists the tool. For admins, auditors and services; null for members, and if it is listed.',
      resolve: ({ tool }) => tool.goneAt,
    }),
    warnings: t.field({
      type: [McpToolWarningEnum],
      description: 'What an admin should look at before a model reads the tool.',
      resolve: async (tool, _args, { loaders }) => tool.warningsWith(await loaders.isLookAlike.load(tool)),
    }),
    change: t.field({
      type: McpToolChangeType,
      ...visibleWith('mcpServerTool.readAny'),
      description:
        'How the tool differs from what was approved. For admins, auditors and services; null for members, and if it is what was approved or nothing was.',
      resolve: (tool, _args, { budget }) => (budget.reserve(tool.changeBytes) ? tool.change : null),
    }),
  }),
});
