import type { McpToolRecord } from '../../data/records.ts';
import type { ToolDefinition } from './tool-definition.ts';

/** What a definition says about how a tool behaves. Null: it says nothing, or not in the right type. */
export interface ToolBehaviour {
  title: string | null;
  readOnlyHint: boolean | null;
  destructiveHint: boolean | null;
  idempotentHint: boolean | null;
  openWorldHint: boolean | null;
}

/** What people read of a definition: no schemas. Never larger than the definition. */
export interface ToolSummary {
  title: string | null;
  description: string | null;
  annotations: ToolBehaviour;
}

/** By the row, which stays the same in memory until the list changes. So a definition is parsed once for many readers. */
const summaries = new WeakMap<McpToolRecord, ToolSummary>();

/** The summary of a tool. @param parse parses its definition */
export function summarize(tool: McpToolRecord, parse: () => ToolDefinition): ToolSummary {
  const known = summaries.get(tool);
  if (known !== undefined) return known;
  const { title, description, annotations } = parse();
  const summary = { title: toText(title), description: toText(description), annotations: toBehaviour(annotations) };
  summaries.set(tool, summary);
  return summary;
}

function toBehaviour(annotations: unknown): ToolBehaviour {
  const isObject = typeof annotations === 'object' && annotations !== null;
  const { title, ...hints } = (isObject ? annotations : {}) as Readonly<Record<string, unknown>>;
  return {
    title: toText(title),
    readOnlyHint: toFlag(hints['readOnlyHint']),
    destructiveHint: toFlag(hints['destructiveHint']),
    idempotentHint: toFlag(hints['idempotentHint']),
    openWorldHint: toFlag(hints['openWorldHint']),
  };
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function toFlag(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
