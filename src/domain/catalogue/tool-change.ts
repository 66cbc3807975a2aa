import canonicalize from 'canonicalize';
import { diffWordsWithSpace } from 'diff';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { pickDigested, type ToolDefinition } from './tool-definition.ts';
import { showInvisible } from './tool-text.ts';

/** More than this is no longer compared word by word, and is shown as replaced. */
const MAX_WORD_EDITS = 400;
/** The most fields that a change lists. */
const MAX_FIELDS = MCP_LIMITS.changedFields.value;

/** A piece of a description: unchanged, taken away or added. Invisible characters are written as `\u{…}`. */
export interface TextChange {
  kind: 'same' | 'removed' | 'added';
  text: string;
}

/** A field of the definition that differs. Undefined where there is none. */
export interface DefinitionFieldChange {
  /** Names joined by dots, such as `inputSchema.properties.path.type`. */
  path: string;
  before: unknown;
  after: unknown;
}

/** How a tool differs from what was approved. */
export interface ToolChange {
  approved: ToolDefinition;
  present: ToolDefinition;
  description: TextChange[];
  fields: DefinitionFieldChange[];
  /** Whether more fields differ than are listed. */
  hasMore: boolean;
}

/** Compares a tool with what was approved: the description word by word, all else field by field. */
export function toToolChange(approved: ToolDefinition, present: ToolDefinition): ToolChange {
  const fields = compareFields(pickDigested(approved), pickDigested(present));
  return {
    approved,
    present,
    description: compareTexts(toText(approved.description), toText(present.description)),
    fields: fields.slice(0, MAX_FIELDS),
    hasMore: fields.length > MAX_FIELDS,
  };
}

function compareTexts(before: string, after: string): TextChange[] {
  if (before === after) return [];
  const [old, young] = [showInvisible(before), showInvisible(after)];
  const parts = diffWordsWithSpace(old, young, { maxEditLength: MAX_WORD_EDITS });
  const changes: TextChange[] = parts?.map(({ added, removed, value }) => ({
    kind: added ? 'added' : removed ? 'removed' : 'same',
    text: value,
  })) ?? [
    { kind: 'removed', text: old },
    { kind: 'added', text: young },
  ];
  return changes.filter(({ text }) => text !== '');
}

/** Compares all but the description, without recursion. Stops after one field more than a change lists. */
function compareFields(before: unknown, after: unknown): DefinitionFieldChange[] {
  const changes: DefinitionFieldChange[] = [];
  const rest = [{ path: '', before, after }];
  for (let next = rest.pop(); next !== undefined && changes.length <= MAX_FIELDS; next = rest.pop()) {
    const { path } = next;
    if (path === 'description') continue;
    const [old, young] = [toMembers(next.before), toMembers(next.after)];
    if (old === undefined || young === undefined) {
      if (!isSame(next.before, next.after)) changes.push(next);
      continue;
    }
    for (const name of [...new Set([...old.keys(), ...young.keys()])].sort().reverse()) {
      const inner = path === '' ? name : `${path}.${name}`;
      rest.push({ path: inner, before: old.get(name), after: young.get(name) });
    }
  }
  return changes;
}

function toMembers(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}

function isSame(before: unknown, after: unknown): boolean {
  return before === after || canonicalize(before) === canonicalize(after);
}

function toText(description: unknown): string {
  return typeof description === 'string' ? description : '';
}
