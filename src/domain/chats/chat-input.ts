import { validationFailed } from '../../errors.ts';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import type { Issues } from '../validation/issues.ts';
import { checkName, checkText, trimmed } from '../validation/text.ts';

const MAX_TITLE = FIELD_LIMITS.chatTitle.value;
const MAX_CONTENT = FIELD_LIMITS.messageContent.value;
const MAX_SERVERS = FIELD_LIMITS.chatServers.value;

/** The title as it is stored. It may be empty. */
export function toTitle(issues: Issues, title: string): string {
  const line = trimmed(title);
  if (line !== '') checkName(issues, ['title'], line, MAX_TITLE);
  return line;
}

/** Reports problems with a message. */
export function checkContent(issues: Issues, content: string): void {
  if (content.trim() === '') issues.add(['content'], 'REQUIRED', 'Write something.');
  else checkText(issues, ['content'], content, MAX_CONTENT);
}

/** Removes duplicate ids and keeps the order. @throws VALIDATION_FAILED for too many ids */
export function toServerIds(ids: readonly string[]): string[] {
  const unique = [...new Set(ids.map((id) => id.toLowerCase()))];
  if (unique.length <= MAX_SERVERS) return unique;
  const message = `Has more than ${MAX_SERVERS} servers.`;
  throw validationFailed([{ path: ['mcpServerIds'], code: 'TOO_MANY', message }]);
}

/**
 * Checks the servers that are on by default for a new chat. A chat never gets a smaller set than that without a word.
 *
 * @throws VALIDATION_FAILED for too many
 */
export function checkDefaultServers(ids: readonly string[]): void {
  if (ids.length <= MAX_SERVERS) return;
  const message = `${ids.length} servers are on by default, but a chat has at most ${MAX_SERVERS}: select its servers.`;
  throw validationFailed([{ path: ['mcpServerIds'], code: 'TOO_MANY', message }]);
}

/** Reports each id that may not be selected. @param sent the ids as received, for the positions in errors */
export function checkChoosable(
  issues: Issues,
  { sent, allowed }: { sent: readonly string[]; allowed: ReadonlySet<string> },
): void {
  const seen = new Set<string>();
  for (const [index, id] of sent.map((each) => each.toLowerCase()).entries()) {
    if (allowed.has(id) || seen.has(id)) continue;
    seen.add(id);
    issues.add(['mcpServerIds', index], 'UNKNOWN_SERVER', `There is no server ${id} that you can select.`);
  }
}
