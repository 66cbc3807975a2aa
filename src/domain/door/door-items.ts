import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { ITEM_KINDS, type ItemKind, type UpstreamItem } from '../../mcp/list-items.ts';
import type { Asked, CallOptions } from '../../mcp/upstreams.ts';
import { toFittingName, toShownName } from '../catalogue/shown-name.ts';
import type { EffectiveServer } from '../catalogue/tool-servers.ts';
import { type CallAnswer, type DoorCalls, NO_SUCH } from './door-calls.ts';
import type { OpenDoor } from './door-place.ts';
import { readDoorUri, toDoorTemplate, toDoorUri, withPromptUris, withReadUris } from './door-uris.ts';
import type { ExposedLists } from './exposed-lists.ts';

/** One answer to a request for a list. */
export interface ItemPage {
  items: readonly Readonly<Record<string, unknown>>[];
  /** Where the next one begins. */
  nextCursor: string | undefined;
}

/** Whether a server's config lets doors have these. */
export function isExposed({ config }: EffectiveServer, kind: ItemKind): boolean {
  return ITEM_KINDS[kind].capability === 'prompts' ? config.exposePrompts : config.exposeResources;
}

/** The URI of a server's resource at a door. */
export function uriAt({ place }: OpenDoor, { config }: EffectiveServer): (uri: string) => string {
  return place.kind === 'server' ? (uri) => uri : (uri) => toDoorUri(config.slug, uri);
}

/**
 * Creates the part of doors that has resources and prompts. What a server exposes is decided at each request, as for tools.
 *
 * @param options.countCall counts a request towards the limit of tool calls @returns the refusal, if there are too many
 */
export function createDoorItems(options: {
  lists: ExposedLists;
  calls: DoorCalls;
  countCall: (door: OpenDoor) => CallAnswer | undefined;
}) {
  const { lists, calls, countCall } = options;

  const promptNameAt = ({ place }: OpenDoor, { config }: EffectiveServer, name: string): string =>
    place.kind === 'server' ? toFittingName(name) : toShownName(config.slug, name);

  const toShown = (door: OpenDoor, server: EffectiveServer, kind: ItemKind, { key, definition }: UpstreamItem) => {
    if (kind === 'prompts') return { ...definition, name: promptNameAt(door, server, key) };
    if (kind === 'resources') return { ...definition, uri: uriAt(door, server)(key) };
    const uriTemplate = door.place.kind === 'server' ? key : toDoorTemplate(server.config.slug, key);
    return { ...definition, uriTemplate };
  };

  /** Asks a server, with all decisions made again before anything is sent and while it answers. */
  const ask = async (
    door: OpenDoor,
    { server, asked, kind }: { server: EffectiveServer; asked: Asked; kind: ItemKind },
    how: CallOptions,
  ): Promise<CallAnswer> => {
    const { viewer, userId, place } = door;
    const decideAgain = async () => {
      const { servers } = await door.reopen();
      const same = servers.find(({ config }) => config.id === server.config.id);
      return same === undefined || !isExposed(same, kind) ? undefined : { server: same, decision: 'allowed' as const };
    };
    const chatId = place.kind === 'chat' ? place.chatId : undefined;
    const what = { server, asked, decision: 'allowed' as const, inputSchema: undefined };
    return calls.call({ viewer, userId, chatId, ...what, decideAgain }, how);
  };

  const findResource = (door: OpenDoor, uri: string): { server: EffectiveServer; uri: string } | undefined => {
    const [only] = door.servers;
    const meant =
      door.place.kind === 'server' ? { slug: only?.config.slug, uri } : (readDoorUri(uri) ?? { slug: undefined, uri });
    if (meant.uri.length > MCP_LIMITS.askedUri.value) return undefined;
    const server = door.servers.find(({ config }) => config.slug === meant.slug);
    return server === undefined || !isExposed(server, 'resources') ? undefined : { server, uri: meant.uri };
  };

  /** A name that fits says what it means. Of one that was cut, only the lists of the servers know it. */
  const findPrompt = async (door: OpenDoor, name: string) => {
    const exposed = door.servers.filter((server) => isExposed(server, 'prompts'));
    for (const server of exposed) {
      const own = door.place.kind === 'server' ? name : name.slice(server.config.slug.length + 2);
      if (own !== '' && promptNameAt(door, server, own) === name) return { server, name: own };
    }
    const ready = exposed.filter(({ state }) => state === 'ready');
    for (const { server, items } of await lists.read(ready, door.userId, 'prompts')) {
      const found = items.find(({ key }) => promptNameAt(door, server, key) === name);
      if (found !== undefined) return { server, name: found.key };
    }
    return undefined;
  };

  return {
    /** What some server behind the door exposes. */
    exposes: ({ servers }: OpenDoor) => ({
      resources: servers.some((server) => isExposed(server, 'resources')),
      prompts: servers.some((server) => isExposed(server, 'prompts')),
    }),

    /**
     * Lists what the servers have, by slug, in the order of each server: whole lists, as many as fit.
     *
     * @param after the slug where the answer before ended
     */
    async list(door: OpenDoor, kind: ItemKind, after: string | undefined): Promise<ItemPage> {
      const isListed = (server: EffectiveServer): boolean => server.state === 'ready' && isExposed(server, kind);
      const asked = door.servers.filter((server) => isListed(server) && (after ?? '') < server.config.slug);
      const found = await lists.read(asked, door.userId, kind);
      // Servers were waited for, and much can change meanwhile.
      const { servers } = asked.length === 0 ? door : await door.reopen();
      const still = new Set(servers.filter(isListed).map(({ config }) => config.id));
      const page: Record<string, unknown>[] = [];
      let bytes = 0;
      let last: string | undefined;
      for (const { server, items } of found.filter((each) => still.has(each.server.config.id))) {
        const shown = items.map((item) => toShown(door, server, kind, item));
        bytes += Buffer.byteLength(JSON.stringify(shown));
        const isFull = page.length + shown.length > MCP_LIMITS.itemPage.value || bytes > MCP_LIMITS.itemPageBytes.value;
        if (isFull && page.length > 0) return { items: page, nextCursor: last };
        page.push(...shown);
        last = server.config.slug;
      }
      return { items: page, nextCursor: undefined };
    },

    /** Reads a resource by its URI at this door. Everything is decided for this request. */
    async read(door: OpenDoor, uri: string, how: CallOptions): Promise<CallAnswer> {
      const refusal = countCall(door);
      if (refusal !== undefined) return refusal;
      const found = findResource(door, uri);
      if (found === undefined) return NO_SUCH.resource;
      const { server } = found;
      const asked = { kind: 'resource' as const, uri: found.uri };
      const answer = await ask(door, { server, asked, kind: 'resources' }, how);
      if (answer.kind !== 'result') return answer;
      // What was asked for comes back under the URI that the client knows.
      const toUri = (each: string): string => (each === found.uri ? uri : uriAt(door, server)(each));
      return { ...answer, result: withReadUris(answer.result, toUri) };
    },

    /** Gets a prompt by its name at this door. Everything is decided for this request. */
    async getPrompt(
      door: OpenDoor,
      { name, arguments: args }: { name: string; arguments: Readonly<Record<string, unknown>> },
      how: CallOptions,
    ): Promise<CallAnswer> {
      const refusal = countCall(door);
      if (refusal !== undefined) return refusal;
      const found = await findPrompt(door, name);
      if (found === undefined) return NO_SUCH.prompt;
      const { server } = found;
      const asked = { kind: 'prompt' as const, name: found.name, arguments: args };
      const answer = await ask(door, { server, asked, kind: 'prompts' }, how);
      if (answer.kind !== 'result' || door.place.kind === 'server' || !isExposed(server, 'resources')) return answer;
      return { ...answer, result: withPromptUris(answer.result, uriAt(door, server)) };
    },
  };
}
