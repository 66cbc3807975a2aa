import { MAX_DEFINITION_BYTES, MAX_DEFINITION_DEPTH, MAX_NAME_LENGTH } from './upstream-limits.ts';

/** A tool as the server describes it. */
export interface UpstreamTool {
  name: string;
  /** The whole definition, as received. Its schemas are not resolved: no `$ref` is fetched. */
  definition: Readonly<Record<string, unknown>>;
}

/**
 * Why a definition is left out. `NOT_A_TOOL`: it has no name or no input schema. `NOT_TEXT`: it has characters that no
 * database stores (U+0000, half a surrogate pair). `WRONG_HEADERS`: it wants arguments in headers against the rules.
 */
export type DefinitionProblem = 'NOT_A_TOOL' | 'NOT_TEXT' | 'TOO_LARGE' | 'TOO_DEEP' | 'DUPLICATE' | 'WRONG_HEADERS';

/** A definition that is left out. */
export interface SkippedTool {
  /** The position in the list, from 0. */
  index: number;
  /** Absent if it has none that can be shown. */
  name: string | undefined;
  problem: DefinitionProblem;
}

const SHOWN_NAME_LENGTH = 64;

/** Checks one definition from a list of tools. Nothing in it is trusted, and nothing is followed. */
export function checkDefinition(value: unknown): UpstreamTool | DefinitionProblem {
  if (!isObject(value)) return 'NOT_A_TOOL';
  const { name, inputSchema } = value;
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH) return 'NOT_A_TOOL';
  const problem = findProblem(value);
  if (problem !== undefined) return problem;
  // Only now: a definition of any depth would exhaust the stack.
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_DEFINITION_BYTES) return 'TOO_LARGE';
  if (!isObject(inputSchema)) return 'NOT_A_TOOL';
  return { name, definition: value };
}

/** What can be shown of the name of a definition that is left out. */
export function toShownName(value: unknown): string | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string') return undefined;
  return /^[\w./ -]+/.exec(value['name'])?.[0].slice(0, SHOWN_NAME_LENGTH);
}

/** What cannot be kept: text that no database stores, and depth. */
export function findProblem(value: object): 'TOO_DEEP' | 'NOT_TEXT' | undefined {
  let level: unknown[] = [value];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_DEFINITION_DEPTH) return 'TOO_DEEP';
    const next: unknown[] = [];
    for (const each of level) {
      const entries = Array.isArray(each) ? each : Object.entries(each as object).flat();
      for (const entry of entries) {
        if (typeof entry === 'string' && (entry.includes('\0') || !entry.isWellFormed())) return 'NOT_TEXT';
        if (typeof entry === 'object' && entry !== null) next.push(entry);
      }
    }
    level = next;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
