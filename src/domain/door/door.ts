import { createHash } from 'node:crypto';
import type { CallOptions } from '../../mcp/upstreams.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import { CatalogueTool } from '../catalogue/catalogue-tool.ts';
import { toFittingName, toShownName } from '../catalogue/shown-name.ts';
import type { EffectiveServer } from '../catalogue/tool-servers.ts';
import type { UserRates } from '../shares/user-rates.ts';
import { type CallAnswer, type DoorCalls, NO_SUCH } from './door-calls.ts';
import { createDoorItems, uriAt } from './door-items.ts';
import type { createDoorLists, DoorList } from './door-lists.ts';
import type { DoorPlaces, DoorRequest, OpenDoor } from './door-place.ts';
import { formatStatuses, type ServerStatus, STATUS_TOOL, toInstructions, toStatuses } from './door-status.ts';
import { withToolUris } from './door-uris.ts';
import type { ExposedLists } from './exposed-lists.ts';
import type { createListedTools } from './listed-tools.ts';

/** A tool as a door lists it: the server's own definition under the door's name. */
export interface DoorTool {
  readonly name: string;
  readonly [part: string]: unknown;
}

/** The result of a call, or why there is none. */
export type DoorAnswer = CallAnswer | { kind: 'status'; text: string; servers: ServerStatus[] };

/** The way of clients to the tools of servers. */
export type Door = ReturnType<typeof createDoor>;

const STATUS_JSON = JSON.stringify(STATUS_TOOL);

/** A name that was cut still starts with this much of the slug. */
const KEPT = 53;

/** A tool to call, and its arguments. */
interface ToolCall {
  name: string;
  arguments: Readonly<Record<string, unknown>>;
}

/** Creates the service. */
export function createDoor(options: {
  places: DoorPlaces;
  catalogue: CatalogueService;
  calls: DoorCalls;
  lists: ExposedLists;
  listedTools: ReturnType<typeof createListedTools>;
  doorLists: ReturnType<typeof createDoorLists>;
  userRates: Pick<UserRates, 'takeToolCall'>;
  /** Resolves when the calls until now are recorded. */
  settleRecords: () => Promise<void>;
  connectUrl: (configId: string) => string;
  /** The door of a chat. */
  chatUrl: (chatId: string) => string;
  /** Whether doors have the tool `gatehouse__status`. */
  hasStatusTool: boolean;
  callsPerMinute: number;
}) {
  const {
    places,
    catalogue,
    calls,
    lists,
    listedTools,
    doorLists,
    userRates,
    settleRecords,
    connectUrl,
    chatUrl,
    hasStatusTool,
    callsPerMinute,
  } = options;

  /** The name of a server's tool at a door. */
  const toNameAt = ({ place }: OpenDoor, { config }: EffectiveServer, name: string): string =>
    place.kind === 'server' ? toFittingName(name) : toShownName(config.slug, name);

  /** The tools of servers with the decisions, under their names at this door. */
  const readTools = async (door: OpenDoor, servers: readonly EffectiveServer[]) => {
    const configs = servers.map(({ config }) => config);
    const decided = await catalogue.toolsOfUser(configs, door.userId);
    return servers.flatMap((server) =>
      (decided.get(server.config.id) ?? []).map((each) => {
        return { server, ...each, shown: toNameAt(door, server, each.tool.name) };
      }),
    );
  };

  const readyServers = (door: OpenDoor) => door.servers.filter(({ state }) => state === 'ready');

  const readAllowed = async (door: OpenDoor) =>
    (await readTools(door, readyServers(door))).filter(({ decision }) => decision === 'allowed');

  /** A tool of a server cannot have the name of the gateway's own, unless its slug is the gateway's: that one goes first. */
  const isStatus = (name: string, shown: readonly string[]): boolean =>
    hasStatusTool && name === STATUS_TOOL.name && !shown.includes(name);

  /** Tools with this name, whether they may be used or not. */
  const findByName = async (door: OpenDoor, name: string) => {
    const candidates =
      door.place.kind === 'server'
        ? door.servers
        : door.servers.filter(({ config }) => name.startsWith(`${config.slug}__`.slice(0, KEPT)));
    return (await readTools(door, candidates)).filter(({ shown }) => shown === name);
  };

  /** Counts a call. @returns the refusal, if there are too many */
  const countCall = ({ userId }: OpenDoor): CallAnswer | undefined => {
    const { isAllowed, retryAfterSeconds } = userRates.takeToolCall(userId);
    if (isAllowed) return undefined;
    const message = `There were more than ${callsPerMinute} tool calls for this user in a minute. Wait ${retryAfterSeconds} seconds, then go on with fewer calls.`;
    return { kind: 'refused', code: 'RATE_LIMITED', message };
  };

  const callFound = async (
    door: OpenDoor,
    found: Awaited<ReturnType<typeof readTools>>[number] | undefined,
    args: ToolCall['arguments'],
    how: CallOptions,
  ): Promise<CallAnswer> => {
    if (found === undefined) return NO_SUCH.tool;
    const { viewer, userId, place } = door;
    const { server, tool, decision } = found;
    const chatId = place.kind === 'chat' ? place.chatId : undefined;
    const decideAgain = async () => {
      const now = await door.reopen();
      const same = now.servers.filter(({ config }) => config.id === server.config.id);
      return (await readTools(now, same)).find((each) => each.tool.name === tool.name);
    };
    const inputSchema = new CatalogueTool(server.config, { tool, decision }).schemaWithHeaders;
    const asked = { kind: 'tool' as const, name: tool.name, arguments: args };
    const answer = await calls.call({ viewer, userId, chatId, server, asked, decision, inputSchema, decideAgain }, how);
    // Resources that can be read here have their URIs of this door in results, too.
    if (answer.kind !== 'result' || place.kind === 'server' || !server.config.exposeResources) return answer;
    return { ...answer, result: withToolUris(answer.result, uriAt(door, server)) };
  };

  return {
    assertMayUse: places.assertMayUse,

    /** Resources and prompts. */
    items: createDoorItems({ lists, calls, countCall }),

    open: (...args: Parameters<DoorPlaces['open']>): Promise<OpenDoor> => places.open(...args),

    /** What a model should know before it sees the tools. */
    instructions: (door: OpenDoor): string => toInstructions(toStatuses(door, connectUrl)),

    /** The tools that can be used, by slug and name, and the gateway's own behind them. The same state gives the same bytes. */
    async list(door: OpenDoor): Promise<DoorTool[]> {
      const allowed = await readAllowed(door);
      const tools = allowed.map(({ server: { config }, tool, decision, shown }) => {
        const { definition } = new CatalogueTool(config, { tool, decision });
        return { ...definition, name: shown };
      });
      return isStatus(STATUS_TOOL.name, namesOf(allowed)) ? [...tools, STATUS_TOOL] : tools;
    },

    /** The same as JSON, for revision 2026-07-28. */
    async listJson(door: OpenDoor): Promise<DoorList> {
      const ready = readyServers(door);
      const configs = ready.map(({ config }) => config);
      const decided = await catalogue.toolsOfUser(configs, door.userId);
      const kind = door.place.kind === 'server' ? 'alone' : 'among others';
      const lists = ready.map((server) =>
        listedTools(server.config, decided.get(server.config.id) ?? [], {
          kind,
          toShown: (name) => toNameAt(door, server, name),
        }),
      );
      const key = [kind, ...configs.map(({ id }) => id)].join(' ');
      return doorLists(key, lists, () => {
        const names = lists.flatMap((list) => list.names);
        return isStatus(STATUS_TOOL.name, names) ? [STATUS_JSON] : [];
      });
    },

    /** Where the tools of a chat are, and the servers that they come from. @throws as `open` */
    async describeChat(viewer: Viewer, chatId: string) {
      const door = await places.open(viewer, { place: { kind: 'chat', chatId } });
      const statuses = toStatuses(door, connectUrl);
      const servers = door.servers.map(({ config, source }, index) => ({
        ...(statuses[index] as ServerStatus),
        id: config.id,
        source: source === 'forced' ? ('forced' as const) : ('selected' as const),
      }));
      return { url: chatUrl(chatId), servers };
    },

    /** Changes when the list does. */
    async digest(request: { viewer: OpenDoor['viewer'] } & DoorRequest): Promise<string> {
      const door = await places.open(request.viewer, request);
      const hash = createHash('sha256');
      for (const { shown, tool } of await readAllowed(door)) hash.update(`${shown} ${tool.digest}\n`);
      return hash.digest('hex');
    },

    /**
     * Calls a tool by its name at this door. Everything is decided again, for this call. Refusals are answers, in words
     * that a model can act on.
     */
    async call(door: OpenDoor, { name, arguments: args }: ToolCall, how: CallOptions): Promise<DoorAnswer> {
      const refusal = countCall(door);
      if (refusal !== undefined) return refusal;
      const found = await findByName(door, name);
      if (isStatus(name, namesOf(found))) {
        const servers = toStatuses(door, connectUrl);
        return { kind: 'status', text: formatStatuses(servers), servers };
      }
      return callFound(door, found[0], args, how);
    },

    /**
     * Calls a tool by the name that its server gave it, as the viewer: to try it out. The rules are those of the server's
     * door. The call is in the audit log when this resolves.
     *
     * @throws as `open`
     */
    async tryTool(
      viewer: Viewer,
      { configId, name, arguments: args }: ToolCall & { configId: string },
      how: CallOptions,
    ): Promise<CallAnswer> {
      assertCan(viewer, 'mcpServerTool.call');
      const door = await places.open(viewer, { place: { kind: 'server', configId } });
      const refusal = countCall(door);
      if (refusal !== undefined) return refusal;
      const found = (await readTools(door, door.servers)).find(({ tool }) => tool.name === name);
      try {
        return await callFound(door, found, args, how);
      } finally {
        await settleRecords();
      }
    },
  };
}

function namesOf(tools: readonly { shown: string }[]): string[] {
  return tools.map(({ shown }) => shown);
}
