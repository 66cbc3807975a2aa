import type { ChatRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { forbidden, notFound, unauthenticated, validationFailed } from '../../errors.ts';
import { assertCan, can } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import { findListWarnings, type ToolListWarning } from '../catalogue/tool-list-warnings.ts';
import { sourceOf } from '../chats/effective-servers.ts';
import type { ConnectionService } from '../connections/connection-service.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { explainAvailability, explainConnection, explainReachability, explainTool } from './explain-checks.ts';
import { SERVER_CHECKS, type ServerCheck, type ServerCheckName } from './server-check.ts';

/** Why a user can or cannot use a server or a tool. */
export interface ServerExplanation {
  configId: string;
  userId: string;
  available: boolean;
  /** The first failed check in words, or a confirmation that there is none. */
  summary: string;
  checks: ServerCheck[];
  /** Names on the tool lists that are no tools of the server. Null for callers who may not see them all. */
  toolListWarnings: ToolListWarning[] | null;
}

/** The server, user, chat and tool to explain. */
export interface ExplainArgs {
  configId: string;
  chatId?: string | undefined;
  userId?: string | undefined;
  tool?: string | undefined;
}

/** Creates the service. */
export function createServerExplanations(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  connections: ConnectionService;
  catalogue: CatalogueService;
}) {
  const { store, experiments, connections, catalogue } = options;

  const findChat = async (viewer: Viewer, args: ExplainArgs): Promise<ChatRecord | null> => {
    if (args.chatId === undefined) return null;
    const chat = await store.chats.findById(
      // Staff may ask about any user and therefore any chat. The answer covers only one server.
      can(viewer, 'mcpServer.explain', { ownerId: undefined }) ? SYSTEM : viewer,
      { id: args.chatId },
    );
    if (chat === null) throw notFound('chat');
    return chat;
  };

  return {
    /**
     * Runs the checks in order. Members may ask only about themselves, and cannot tell a hidden server from a missing
     * one.
     *
     * @throws FORBIDDEN for another user; NOT_FOUND for the chat or the user; VALIDATION_FAILED when the chat belongs
     *   to another user
     */
    async explain(viewer: Viewer, args: ExplainArgs): Promise<ServerExplanation> {
      assertCan(viewer, 'mcpServer.explain');
      assertExperiment(experiments, 'agents');
      const own = viewerUserId(viewer);
      if (own === undefined) throw unauthenticated();
      if (args.userId !== undefined && !can(viewer, 'mcpServer.explain', { ownerId: args.userId })) throw forbidden();
      const chat = await findChat(viewer, args);
      const userId = args.userId ?? chat?.ownerId ?? own;
      if (chat !== null && chat.ownerId !== userId) {
        const message = 'This chat belongs to another user.';
        throw validationFailed([{ path: ['chatId'], code: 'NOT_THE_USERS', message }]);
      }
      const user = await store.sessions.findUser(SYSTEM, { id: userId });
      if (user === null) throw notFound('user');
      const config = await store.configs.findById(viewer, { id: args.configId });
      const checks =
        config === null
          ? [missing()]
          : await listChecks(config, { chat, user, tool: args.tool, isOwn: userId === own });
      const failed = checks.find(({ outcome }) => outcome === 'failed');
      return {
        configId: args.configId,
        userId,
        available: failed === undefined,
        summary: failed === undefined ? 'All checks passed.' : `${failed.reason} ${failed.remedy ?? ''}`.trim(),
        toolListWarnings: can(viewer, 'mcpServerTool.readAny') ? await listWarnings(config, userId) : null,
        checks: SERVER_CHECKS.map((name) => checks.find((check) => check.name === name) ?? skipped(name)),
      };
    },
  };

  async function listWarnings(config: McpServerConfigRecord | null, userId: string): Promise<ToolListWarning[]> {
    return config === null ? [] : findListWarnings(config, await toolsOf(config, userId));
  }

  async function toolsOf(config: McpServerConfigRecord, userId: string) {
    return (await catalogue.toolsOfUser([config], userId)).get(config.id) ?? [];
  }

  async function listChecks(
    config: McpServerConfigRecord,
    subject: {
      chat: ChatRecord | null;
      user: { id: string; role: string; status: string };
      tool: string | undefined;
      /** Whether the user asks about themselves: then it is said to them. */
      isOwn: boolean;
    },
  ): Promise<ServerCheck[]> {
    const { chat, user, tool, isOwn } = subject;
    const found = await connections.listOfUsers([user.id], [config.id]);
    const connection = found.get(user.id)?.get(config.id);
    const state = connections.serverState({ ...config, enabled: true }, connection);
    const source =
      chat === null ? undefined : sourceOf({ ...config, enabled: true }, chat.mcpServerIds.includes(config.id));
    return [
      { name: 'exists', outcome: 'passed', reason: `It is "${config.displayName}".`, remedy: null },
      explainVisibility(config, user, isOwn),
      config.enabled
        ? { name: 'enabled', outcome: 'passed', reason: 'It is enabled.', remedy: null }
        : {
            name: 'enabled',
            outcome: 'failed',
            reason: 'An admin disabled it.',
            remedy: 'An admin can enable it.',
          },
      ...explainAvailability(config, { chat, source, isOwn }),
      ...explainReachability((await catalogue.listReachability([config.id])).get(config.id)),
      explainConnection({ state, more: connections.stateReason(config, connection), isOwn }),
      ...(tool === undefined ? [] : explainTool(config, tool, await toolsOf(config, user.id))),
    ];
  }
}

function explainVisibility(
  { enabled }: McpServerConfigRecord,
  user: { role: string; status: string },
  isOwn: boolean,
): ServerCheck {
  if (user.status !== 'active') {
    const reason = 'The user is suspended.';
    return { name: 'visible', outcome: 'failed', reason, remedy: 'An admin can make the user active.' };
  }
  if (!enabled && user.role === 'member') {
    const reason = 'Members do not see disabled servers.';
    return { name: 'visible', outcome: 'failed', reason, remedy: 'An admin can enable it.' };
  }
  const reason = isOwn ? 'You can see it.' : 'The user can see it.';
  return { name: 'visible', outcome: 'passed', reason, remedy: null };
}

function missing(): ServerCheck {
  const reason = 'There is no such server, or you may not see it.';
  return { name: 'exists', outcome: 'failed', reason, remedy: 'An admin can create or enable it.' };
}

function skipped(name: ServerCheckName): ServerCheck {
  return { name, outcome: 'skipped', reason: 'Not checked.', remedy: null };
}
