import type { ChatRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { forbidden, notFound, unauthenticated, validationFailed } from '../../errors.ts';
import { assertCan, can } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { sourceOf } from '../chats/effective-servers.ts';
import type { ConnectionService } from '../connections/connection-service.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { explainAvailability, explainConnection, explainTool } from './explain-checks.ts';
import { SERVER_CHECKS, type ServerCheck, type ServerCheckName } from './server-check.ts';

/** Why a server, or a tool of it, can be used by a user, or not. */
export interface ServerExplanation {
  configId: string;
  userId: string;
  available: boolean;
  /** The first failed check in words, or that all is well. */
  summary: string;
  checks: ServerCheck[];
}

/** What is asked. */
export interface ExplainArgs {
  configId: string;
  chatId?: string | undefined;
  userId?: string | undefined;
  tool?: string | undefined;
}

/** Explains what applies. */
export type ServerExplanations = ReturnType<typeof createServerExplanations>;

/** Makes it. */
export function createServerExplanations(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  connections: ConnectionService;
}) {
  const { store, experiments, connections } = options;

  const findChat = async (viewer: Viewer, args: ExplainArgs): Promise<ChatRecord | null> => {
    if (args.chatId === undefined) return null;
    const chat = await store.chats.findById(
      // Staff asks about any user, and so about any chat; what is answered of it is one server.
      can(viewer, 'mcpServer.explain', { ownerId: undefined }) ? SYSTEM : viewer,
      { id: args.chatId },
    );
    if (chat === null) throw notFound('chat');
    return chat;
  };

  return {
    /**
     * Goes through the checks in order. A member asks about himself, and learns of a hidden server what he learns of one
     * that does not exist.
     *
     * @throws FORBIDDEN for another user; NOT_FOUND for the chat or the user; VALIDATION_FAILED when the chat is not the
     *   user's
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
        const message = 'This chat is not of this user.';
        throw validationFailed([{ path: ['chatId'], code: 'NOT_THE_USERS', message }]);
      }
      const user = await store.sessions.findUser(SYSTEM, { id: userId });
      if (user === null) throw notFound('user');
      const config = await store.configs.findById(viewer, { id: args.configId });
      const checks = config === null ? [missing()] : await listChecks(config, { chat, user, tool: args.tool });
      const failed = checks.find(({ outcome }) => outcome === 'failed');
      return {
        configId: args.configId,
        userId,
        available: failed === undefined,
        summary: failed === undefined ? 'Nothing is in the way.' : `${failed.reason} ${failed.remedy ?? ''}`.trim(),
        checks: SERVER_CHECKS.map((name) => checks.find((check) => check.name === name) ?? skipped(name)),
      };
    },
  };

  async function listChecks(
    config: McpServerConfigRecord,
    subject: { chat: ChatRecord | null; user: { id: string; role: string; status: string }; tool: string | undefined },
  ): Promise<ServerCheck[]> {
    const { chat, user, tool } = subject;
    const found = await connections.listOfUsers([user.id], [config.id]);
    const connection = found.get(user.id)?.get(config.id);
    const state = connections.serverState({ ...config, enabled: true }, connection);
    const source = chat === null ? undefined : sourceOf({ ...config, enabled: true }, chat.mcpServerIds);
    return [
      { name: 'exists', outcome: 'passed', reason: `It is "${config.displayName}".`, remedy: null },
      explainVisibility(config, user),
      config.enabled
        ? { name: 'enabled', outcome: 'passed', reason: 'It is switched on.', remedy: null }
        : {
            name: 'enabled',
            outcome: 'failed',
            reason: 'An admin has it switched off.',
            remedy: 'An admin can enable it.',
          },
      ...explainAvailability(config, chat, source),
      explainConnection(state, connections.stateReason(config, connection)),
      ...(tool === undefined ? [] : [explainTool(config, tool)]),
    ];
  }
}

function explainVisibility({ enabled }: McpServerConfigRecord, user: { role: string; status: string }): ServerCheck {
  if (user.status !== 'active') {
    const reason = 'The user is suspended.';
    return { name: 'visible', outcome: 'failed', reason, remedy: 'An admin can make the user active.' };
  }
  if (!enabled && user.role === 'member') {
    const reason = 'Members do not see servers that are switched off.';
    return { name: 'visible', outcome: 'failed', reason, remedy: 'An admin can enable it.' };
  }
  return { name: 'visible', outcome: 'passed', reason: 'The user sees it.', remedy: null };
}

function missing(): ServerCheck {
  const reason = 'There is no such server, or none that you may see.';
  return { name: 'exists', outcome: 'failed', reason, remedy: 'An admin can define or enable it.' };
}

function skipped(name: ServerCheckName): ServerCheck {
  return { name, outcome: 'skipped', reason: 'Nothing was asked here.', remedy: null };
}
