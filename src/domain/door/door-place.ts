import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { forbidden, notFound, unauthenticated, validationFailed } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { assertScope, grantOf } from '../../policy/token-grant.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { EffectiveServer, ToolServers } from '../catalogue/tool-servers.ts';
import { isPast, type RenewViewer } from '../credentials/viewer-renewal.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';

/** One server, by either of its names. */
type NamedServer = { readonly slug: string } | { readonly configId: string };

/** Whose tools a door has: those that a user has without a chat, those of one server, or those in a chat. */
export type DoorPlace =
  | { readonly kind: 'own' }
  | ({ readonly kind: 'server' } & NamedServer)
  | { readonly kind: 'chat'; readonly chatId: string };

/** What somebody asks for. */
export interface DoorRequest {
  place: DoorPlace;
  /** As whom a service acts. Undefined: as the caller or, in a chat, as its owner. */
  userId?: string | undefined;
}

/** A door that a caller may use, with the servers behind it at this moment. */
export interface OpenDoor {
  readonly viewer: Viewer;
  /** Whose tools and credentials are used. */
  readonly userId: string;
  readonly place: DoorPlace;
  /** Whatever their state. By slug. */
  readonly servers: readonly EffectiveServer[];
  /**
   * The same door at this moment, for the caller as they are now.
   *
   * @throws as opening it
   */
  reopen(): Promise<OpenDoor>;
}

/** Opens doors. */
export type DoorPlaces = ReturnType<typeof createDoorPlaces>;

/** Any UUID in the canonical format: the database takes no other. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The servers that the caller's API token is for. */
function withinGrant(viewer: Viewer, servers: readonly EffectiveServer[]): readonly EffectiveServer[] {
  const ids = grantOf(viewer)?.mcpServerIds ?? null;
  return ids === null ? servers : servers.filter(({ config }) => ids.includes(config.id));
}

/** Creates the service. */
export function createDoorPlaces(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  toolServers: ToolServers;
  renewViewer: RenewViewer;
  /** Tells whether anything about callers may have changed. */
  callers: { fresh(): Promise<void> | undefined; callerVersion(): bigint; resets(): number };
  now: () => Date;
}) {
  const { store, experiments, toolServers, renewViewer, callers, now } = options;
  const callerStamp = (): string => `${callers.resets()} ${callers.callerVersion()}`;

  const assertActive = async (userId: string): Promise<void> => {
    const user = await store.sessions.findUser(SYSTEM, { id: userId });
    if (user === null) throw notFound('user');
    if (user.status !== 'active') throw forbidden('This user is suspended.');
  };

  /** The server, if the user would see it. Nobody learns through a door which servers are switched off. */
  const findServer = async (viewer: Viewer, named: NamedServer, isSelf: boolean): Promise<McpServerConfigRecord> => {
    const reader = isSelf ? viewer : SYSTEM;
    const config =
      'slug' in named
        ? await store.configs.findBySlug(reader, { slug: named.slug })
        : await store.configs.findById(reader, { id: named.configId });
    if (config === null || (!isSelf && !config.enabled)) throw notFound('MCP server config');
    return config;
  };

  const openChat = async (viewer: Viewer, chatId: string, userId: string | undefined) => {
    const chat = UUID.test(chatId) ? await store.chats.findById(viewer, { id: chatId.toLowerCase() }) : null;
    if (chat === null) throw notFound('chat');
    const { ownerId } = chat;
    assertCan(viewer, 'mcp.use', { ownerId });
    if (userId !== undefined && userId !== ownerId) {
      const message =
        'This chat belongs to another user. Leave the parameter out: the door of a chat acts as its owner.';
      throw validationFailed([{ path: ['user'], code: 'NOT_THE_USERS', message }]);
    }
    await assertActive(ownerId);
    return { userId: ownerId, servers: await toolServers.inChat(viewer, chat) };
  };

  const openOther = async (viewer: Viewer, place: Exclude<DoorPlace, { kind: 'chat' }>, given: string | undefined) => {
    const own = viewerUserId(viewer);
    const userId = given?.toLowerCase() ?? own;
    if (userId === undefined) throw unauthenticated();
    assertCan(viewer, 'mcp.use', { ownerId: userId });
    if (!UUID.test(userId)) throw notFound('user');
    if (userId !== own) await assertActive(userId);
    if (place.kind === 'own') return { userId, servers: await toolServers.withoutChat(userId) };
    const config = await findServer(viewer, place, userId === own);
    return { userId, servers: [await toolServers.one(config, userId)] };
  };

  return {
    /** The checks that need nothing of the request but who sends it. @throws UNAUTHENTICATED, FORBIDDEN, EXPERIMENT_DISABLED */
    assertMayUse(viewer: Viewer): void {
      assertCan(viewer, 'mcp.use');
      assertScope(viewer, 'mcp');
      assertExperiment(experiments, 'agents');
    },

    /**
     * Opens a door for one request.
     *
     * @throws FORBIDDEN to act as another user, NOT_FOUND for a chat of somebody else, and for a server that the user does
     *   not see, in the same words as for one that does not exist
     */
    async open(viewer: Viewer, { place, userId }: DoorRequest): Promise<OpenDoor> {
      this.assertMayUse(viewer);
      const stamp = callerStamp();
      const opened =
        place.kind === 'chat'
          ? await openChat(viewer, place.chatId, userId?.toLowerCase())
          : await openOther(viewer, place, userId);
      const reachable = withinGrant(viewer, opened.servers);
      if (place.kind === 'server' && reachable.length === 0) throw forbidden('Your API token is not for this server.');
      const servers = reachable.toSorted((a, b) => (a.config.slug < b.config.slug ? -1 : 1));
      const reopen = async (): Promise<OpenDoor> => {
        await callers.fresh();
        const isKnown = callerStamp() === stamp && !isPast(viewer, now());
        return this.open(isKnown ? viewer : await renewViewer(viewer), { place, userId });
      };
      return { viewer, place, userId: opened.userId, servers, reopen };
    },
  };
}
