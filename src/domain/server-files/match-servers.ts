import type { McpServerConfigRecord } from '../../data/records.ts';
import type { ImportedServer } from './imported-server.ts';
import { toFreeSlug, toNumberedSlug } from './slug.ts';

/** The decision about a server whose slug belongs to another one. */
export type ImportAnswer = 'update' | 'create';

/** A server of a file, and its config if one exists. */
export interface MatchedServer {
  /** Its slug is the one that the config will have. */
  server: ImportedServer;
  current: McpServerConfigRecord | undefined;
  /** Set if a person must decide: `current` has the slug, but looks like another server. */
  question?: { freeSlug: string };
}

/** The search for a free or matching slug (`github-2`, `github-3`, …) stops at this number. */
const MAX_NUMBER = 20;

/**
 * Finds the config of each server in a file. A config with the server's slug that has both another name and another
 * origin is probably another server, with other users and secrets: it is not updated unless a person confirms it.
 *
 * @param answers the decisions, by the slug in the file
 */
export function matchServers(
  servers: readonly ImportedServer[],
  existing: readonly McpServerConfigRecord[],
  answers: ReadonlyMap<string, ImportAnswer> = new Map(),
): MatchedServer[] {
  const bySlug = new Map(existing.map((config) => [config.slug, config]));
  const inFile = new Set(servers.map(({ input }) => input.slug));
  const taken = new Set([...bySlug.keys(), ...inFile]);
  return servers.map((server): MatchedServer => {
    const { slug } = server.input;
    const current = bySlug.get(slug);
    if (current === undefined || isSame(server, current)) return { server, current };
    // An earlier import may have created it under a numbered slug.
    for (let number = 2; number <= MAX_NUMBER; number += 1) {
      const other = bySlug.get(toNumberedSlug(slug, number));
      if (other !== undefined && !inFile.has(other.slug) && isSame(server, other)) {
        return { server: withSlug(server, other.slug), current: other };
      }
    }
    const answer = answers.get(slug);
    if (answer === 'update') return { server, current };
    const freeSlug = toFreeSlug(slug, (each) => taken.has(each));
    if (answer === undefined) return { server, current, question: { freeSlug } };
    taken.add(freeSlug);
    return { server: withSlug(server, freeSlug), current: undefined };
  });
}

function withSlug(server: ImportedServer, slug: string): ImportedServer {
  return { ...server, input: { ...server.input, slug } };
}

/** Whether the name or the origin is the same. */
function isSame({ name, input }: ImportedServer, config: McpServerConfigRecord): boolean {
  const known = toComparable(config.displayName);
  const names = [name, input.displayName ?? ''].map(toComparable);
  return names.includes(known) || originOf(input.url ?? '') === originOf(config.url);
}

function toComparable(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}
