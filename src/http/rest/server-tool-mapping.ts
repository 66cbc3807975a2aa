import type { CatalogueTool } from '../../domain/catalogue/catalogue-tool.ts';
import { validationFailed } from '../../errors.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import { can } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { McpServerTool } from './server-tool-schemas.ts';

const MAX_BYTES = OPERATION_LIMITS.answer.value;

/** @throws VALIDATION_FAILED if the definitions together are more than one answer may have */
export function assertFits(tools: readonly CatalogueTool[]): void {
  const bytes = tools.reduce((sum, { tool }) => sum + tool.definition.length, 0);
  if (bytes <= MAX_BYTES) return;
  const message = `The definitions have more than ${MAX_BYTES / 1_000_000} MB together. Read them in pages, with \`mcpServerConfig { tools(first, after) }\` in GraphQL.`;
  throw validationFailed([{ path: ['id'], code: 'TOO_LONG', message }]);
}

/** Converts a tool to the response body. @param isLookAlike whether a tool of another server has a name that looks the same */
export function toServerTool(viewer: Viewer, tool: CatalogueTool, isLookAlike: boolean): McpServerTool {
  const { id, name, digest, firstSeenAt, changedAt, goneAt } = tool.tool;
  const { title, description, inputSchema, outputSchema = null, annotations } = tool.definition;
  return {
    id,
    name,
    shown_as: tool.shownAs,
    title: typeof title === 'string' ? title : null,
    description: typeof description === 'string' ? description : null,
    input_schema: inputSchema,
    output_schema: outputSchema,
    annotations: isObject(annotations) ? annotations : {},
    decision: tool.decision,
    digest,
    first_seen_at: firstSeenAt.toISOString(),
    changed_at: changedAt?.toISOString() ?? null,
    gone_at: can(viewer, 'mcpServerTool.readAny') ? (goneAt?.toISOString() ?? null) : null,
    warnings: tool.warningsWith(isLookAlike),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
