import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { countCharacters, isStorable } from '../validation/text.ts';

/** The longest name of a tool: as long as the names on allow and deny lists. */
const MAX_NAME_CHARACTERS = MCP_LIMITS.toolName.value;

/** What a server says about a tool, as it was received. */
export interface ToolDefinition {
  name: string;
  title?: unknown;
  description?: unknown;
  inputSchema: Readonly<Record<string, unknown>>;
  outputSchema?: unknown;
  annotations?: unknown;
  readonly [other: string]: unknown;
}

/** The parts of a definition that an approval covers: all that a model or a caller acts on. */
const DIGESTED = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const;

/** A tool that a server listed. */
export interface ListedTool {
  name: string;
  /** The definition as JSON text, with all its fields. */
  definition: string;
  /** Lower-case hexadecimal SHA-256 of the parts that an approval covers. */
  digest: string;
}

/** Why a tool that a server listed is not in the catalogue. */
export type LeftOutReason = 'INVALID_NAME' | 'NAME_TOO_LONG' | 'DUPLICATE_NAME' | 'INVALID_SCHEMA';

/** The usable tools of a list, by name, and why the others were left out. */
export interface ReadTools {
  tools: ListedTool[];
  leftOut: LeftOutReason[];
}

/**
 * Reads the tools that a server listed. A tool that could not be called is left out. Of two tools with one name only the
 * first counts, because a call could not say which one it means.
 *
 * @param raw the entries of `tools`, parsed; their size and depth are bounded already
 */
export function readTools(raw: readonly unknown[]): ReadTools {
  const byName = new Map<string, ListedTool>();
  const leftOut: LeftOutReason[] = [];
  for (const each of raw) {
    const problem = findProblem(each);
    if (problem !== undefined) {
      leftOut.push(problem);
      continue;
    }
    const tool = each as ToolDefinition;
    if (byName.has(tool.name)) leftOut.push('DUPLICATE_NAME');
    else byName.set(tool.name, { name: tool.name, definition: JSON.stringify(tool), digest: digestTool(tool) });
  }
  return { tools: [...byName.values()], leftOut };
}

/**
 * The digest that approvals name: SHA-256, as lower-case hexadecimal, over the canonical JSON (RFC 8785) of the name,
 * title, description, schemas and annotations. Without `_meta` and icons, which no model reads.
 */
export function digestTool(tool: ToolDefinition): string {
  return createHash('sha256')
    .update(canonicalize(pickDigested(tool)) ?? '')
    .digest('hex');
}

/** The parts of a definition that its digest covers. Absent parts stay absent. */
export function pickDigested(tool: ToolDefinition): Readonly<Record<string, unknown>> {
  const entries = DIGESTED.filter((part) => tool[part] !== undefined).map((part) => [part, tool[part]] as const);
  return Object.fromEntries(entries);
}

/** Parses the text of a stored definition. */
export function parseDefinition(definition: string): ToolDefinition {
  return JSON.parse(definition) as ToolDefinition;
}

function findProblem(raw: unknown): LeftOutReason | undefined {
  if (!isObject(raw) || typeof raw['name'] !== 'string') return 'INVALID_NAME';
  const { name, inputSchema } = raw;
  if (name.trim() === '' || !isStorable(name)) return 'INVALID_NAME';
  if (countCharacters(name) > MAX_NAME_CHARACTERS) return 'NAME_TOO_LONG';
  return isObject(inputSchema) ? undefined : 'INVALID_SCHEMA';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
