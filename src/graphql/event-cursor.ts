import { randomUUID } from 'node:crypto';
import type { ExecutionResult } from 'graphql';
import { KeptAnswer } from './kept-answer.ts';

/**
 * The placeholder of the cursor in a result that many subscribers share. Each subscriber gets their own cursor in its
 * place. It is random, so that no text in a config can be equal to it.
 */
export const CURSOR_PLACEHOLDER = `cursor-${randomUUID()}`;

/** The parts of each shared result between its cursors: found once. */
const partsOf = new WeakMap<ExecutionResult, readonly string[]>();

/**
 * Puts a subscriber's cursor in place of the placeholder. A result without a cursor is returned as it is, so that its
 * bytes stay shared.
 *
 * @param event its cursor is asked for only if the result has one
 */
export function withCursor(result: ExecutionResult, event: { readonly cursor: string }): ExecutionResult {
  if (result.errors !== undefined) {
    // Rare, and the errors are objects that must stay as they are.
    const { data = null } = JSON.parse(
      splitAtCursors(JSON.stringify({ data: result.data })).join(event.cursor),
    ) as ExecutionResult;
    return { ...result, data };
  }
  let parts = partsOf.get(result);
  if (parts === undefined) {
    parts = splitAtCursors(result instanceof KeptAnswer ? result.stringify() : JSON.stringify({ data: result.data }));
    partsOf.set(result, parts);
  }
  if (parts.length === 1) return result;
  return new KeptAnswer(parts.join(event.cursor));
}

function splitAtCursors(text: string): string[] {
  return text.split(CURSOR_PLACEHOLDER);
}
