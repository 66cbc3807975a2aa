import { compareCodePoints } from '../../data/memory/config-order.ts';
import type { Store } from '../../data/store.ts';
import { forbidden, notFound, unauthenticated, validationFailed } from '../../errors.ts';
import { assertCan, can } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import type { CatalogueService } from './catalogue-service.ts';
import { CatalogueTool } from './catalogue-tool.ts';
import type { EffectiveServer, ToolServers } from './tool-servers.ts';

/** A tool that the user can use. */
export interface EffectiveTool extends EffectiveServer {
  tool: CatalogueTool;
}

/** Creates the service. */
export function createEffectiveTools(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  toolServers: ToolServers;
  catalogue: CatalogueService;
}) {
  const { store, experiments, toolServers, catalogue } = options;

  const serversOfChat = async (viewer: Viewer, chatId: string) => {
    // Staff may ask about any user, and so about any chat. The answer has nothing else of it.
    const isAnyones = can(viewer, 'mcpServerTool.readAny');
    const reader = isAnyones ? SYSTEM : viewer;
    const chat = await store.chats.findById(reader, { id: chatId });
    if (chat === null) throw notFound('chat');
    return { userId: chat.ownerId, servers: await toolServers.inChat(reader, chat) };
  };

  return {
    /**
     * The tools that a user can use, by slug and name: of the servers in a chat or, without a chat, of those that are
     * forced or on by default. Tools of servers that are not ready are left out.
     *
     * @throws FORBIDDEN for another user, NOT_FOUND for the chat or the user, VALIDATION_FAILED if the chat is not theirs
     */
    async list(
      viewer: Viewer,
      args: { chatId?: string | undefined; userId?: string | undefined },
    ): Promise<EffectiveTool[]> {
      assertCan(viewer, 'mcpServerTool.list');
      assertExperiment(experiments, 'agents');
      const own = viewerUserId(viewer);
      if (own === undefined) throw unauthenticated();
      const isOther = args.userId !== undefined && args.userId !== own;
      if (isOther && !can(viewer, 'mcpServerTool.readAny')) throw forbidden();
      const found = args.chatId === undefined ? undefined : await serversOfChat(viewer, args.chatId);
      const userId = args.userId ?? found?.userId ?? own;
      if (found !== undefined && found.userId !== userId) {
        const message = 'This chat belongs to another user.';
        throw validationFailed([{ path: ['chatId'], code: 'NOT_THE_USERS', message }]);
      }
      const user = await store.sessions.findUser(SYSTEM, { id: userId });
      if (user === null) throw notFound('user');
      if (user.status !== 'active') return [];
      const servers = (found?.servers ?? (await toolServers.withoutChat(userId))).filter(
        ({ state }) => state === 'ready',
      );
      const decided = await catalogue.toolsOfUser(
        servers.map(({ config }) => config),
        userId,
      );
      return servers
        .toSorted((a, b) => compareCodePoints(a.config.slug, b.config.slug))
        .flatMap((server) =>
          (decided.get(server.config.id) ?? [])
            .filter(({ decision }) => decision === 'allowed')
            .map((each) => ({ ...server, tool: new CatalogueTool(server.config, each) })),
        );
    },
  };
}
