import type { EffectiveServer } from '../catalogue/tool-servers.ts';
import { STATE_REASONS } from '../chats/effective-servers.ts';
import type { OpenDoor } from './door-place.ts';

/** The tool that tells which servers need something. It is the gateway's own. */
export const STATUS_TOOL = {
  name: 'gatehouse__status',
  title: 'Status of the tool servers',
  description:
    'Tells which tool servers this gateway has here, which of them can be used now, and what the user has to do for the others, with a link. Call it when a tool that you expect is missing, or when a call says that the user has to connect.',
  inputSchema: { type: 'object', properties: {}, additionalProperties: false },
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
} as const;

/** How a server is, for a model and the user. */
export interface ServerStatus {
  slug: string;
  displayName: string;
  state: EffectiveServer['state'];
  reason: string;
  /** Where the user connects. Absent where that would not help. */
  connectUrl?: string;
}

/** The states of the servers behind a door. @param connectUrl where a user connects to a server */
export function toStatuses({ servers }: OpenDoor, connectUrl: (configId: string) => string): ServerStatus[] {
  return servers.map(({ config: { id, slug, displayName }, state }) => ({
    slug,
    displayName,
    state,
    reason: STATE_REASONS[state],
    ...((state === 'needs_connect' || state === 'reconnect') && { connectUrl: connectUrl(id) }),
  }));
}

/** The statuses as text: one line for each server. */
export function formatStatuses(statuses: readonly ServerStatus[]): string {
  if (statuses.length === 0) return 'There are no tool servers here.';
  return statuses.map(toLine).join('\n');
}

/** What a client tells its model at the start. Empty if all servers can be used. */
export function toInstructions(statuses: readonly ServerStatus[]): string {
  const waiting = statuses.filter(({ state }) => state !== 'ready');
  if (waiting.length === 0) return '';
  return `The tools of these servers cannot be used now:\n${waiting.map(toLine).join('\n')}`;
}

function toLine({ slug, displayName, reason, connectUrl }: ServerStatus): string {
  return `- ${displayName} (${slug}): ${reason}${connectUrl === undefined ? '' : ` To connect, the user opens ${connectUrl}`}`;
}
