import type { CallAnswer } from '../../domain/door/door-calls.ts';
import { type ToolResult, toToolResult } from '../../domain/door/tool-result.ts';
import { type ValidationIssue, validationFailed } from '../../errors.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import type { OperationBudget } from '../budget/operation-budget.ts';
import { builder } from '../builder.ts';
import { formerResult } from '../mutation-shape/former-fields.ts';

interface TriedCall {
  answer: CallAnswer;
  result: ToolResult;
  ms: number;
}

const McpToolResultType = builder.objectRef<TriedCall>('McpToolResult').implement({
  description: 'What calling a tool gave. The texts of a result are the words of its server, or of what it has read.',
  fields: (t) => ({
    content: t.field({
      type: 'JSON',
      description:
        'The blocks of the result, as the server sent them (MCP, "ContentBlock"). Credentials that the gateway sent are removed. If there is no result, one text that says why.',
      resolve: ({ result: { content = [] } }, _args, { budget }) => withinBudget(budget, content, []),
    }),
    structuredContent: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The structured result, as the server sent it; null if there is none.',
      resolve: ({ result: { structuredContent = null } }, _args, { budget }) =>
        withinBudget(budget, structuredContent, null),
    }),
    isError: t.boolean({
      description: 'Whether the tool says that it failed, or was not called.',
      resolve: ({ result }) => result.isError === true,
    }),
    code: t.string({
      nullable: true,
      description: 'Why there is no result, such as NEEDS_CONNECT or TIMEOUT; see docs/tools.md. Null if there is one.',
      resolve: ({ answer }) => (answer.kind === 'refused' ? answer.code : null),
    }),
    connectUrl: t.string({
      nullable: true,
      description: 'Where the user connects to the server; null where that would not help.',
      resolve: ({ answer }) => (answer.kind === 'refused' ? (answer.connectUrl ?? null) : null),
    }),
    ms: t.exposeInt('ms', { description: 'How long the call took at the gateway, in milliseconds.' }),
  }),
});

const CallMcpToolPayload = builder.objectRef<{ result: TriedCall }>('CallMcpToolPayload').implement({
  description: 'Result of `callMcpTool`.',
  fields: (t) => ({
    result: t.expose('result', { type: McpToolResultType, description: 'What the call gave.', ...formerResult }),
  }),
});

const CallMcpToolInput = builder.inputType('CallMcpToolInput', {
  description: 'A tool, and what to call it with.',
  fields: (t) => ({
    configId: t.field({ type: 'UUID', required: true, description: "Id of the server's config." }),
    tool: t.string({ required: true, description: 'Exact name on the server.' }),
    arguments: t.field({
      type: 'JSON',
      required: false,
      description: 'The arguments: a JSON object. The server checks them. Absent: none.',
    }),
  }),
});

const NO_OBJECT: ValidationIssue = {
  path: ['arguments'],
  code: 'INVALID_TYPE',
  message: 'Give the arguments as a JSON object, by their names.',
};

builder.mutationFields((t) => ({
  callMcpTool: t.field({
    type: CallMcpToolPayload,
    description:
      'Calls a tool as oneself, to try it out. The rules are those of `/mcp/servers/{slug}`: a call that is not allowed, and one that fails, is a result with a `code`. Each call of a known tool is in the audit log. For admins and members.',
    args: { input: t.arg({ type: CallMcpToolInput, required: true, description: 'The tool.' }) },
    resolve: async (_root, { input }, { viewer, services, gone }) => {
      const { configId, tool, arguments: args = {} } = input;
      if (!isObject(args)) throw validationFailed([NO_OBJECT]);
      const startedAt = performance.now();
      const call = { configId, name: tool, arguments: args };
      const answer = await services.door.tryTool(viewer, call, {
        signal: gone(),
        maxBytes: MCP_LIMITS.triedAnswer.value,
      });
      const ms = Math.round(performance.now() - startedAt);
      return { result: { answer, result: toToolResult(answer), ms } };
    },
  }),
}));

function withinBudget<Value>(budget: OperationBudget, value: Value, otherwise: Value): Value {
  return budget.reserve(Buffer.byteLength(JSON.stringify(value))) ? value : otherwise;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
