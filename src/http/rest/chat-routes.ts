import { Hono } from 'hono';
import type { ChatRecord } from '../../data/records.ts';
import type { ChatService } from '../../domain/chats/chat-service.ts';
import type { EffectiveServers } from '../../domain/chats/effective-servers.ts';
import type { Door } from '../../domain/door/door.ts';
import type { Experiment } from '../../domain/experiments.ts';
import type { AnswerStamp } from '../../domain/feed/answer-stamp.ts';
import { DomainError, notFound, type ValidationIssue, validationFailed } from '../../errors.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { HttpEnv } from '../context.ts';
import { CHAT_GROUP } from './chat-operations.ts';
import type { Chat } from './chat-schemas.ts';
import { registerOperations } from './register-operations.ts';

/** The dependencies of the chat routes. */
export interface ChatRoutesOptions {
  chats: ChatService;
  effectiveServers: EffectiveServers;
  door: Door;
  experiments: ReadonlySet<Experiment>;
  answerStamp: AnswerStamp;
}

/** Creates the REST routes of chats. Their paths are absolute: mount them at `/`. */
export function createChatRoutes({
  chats,
  effectiveServers,
  door,
  experiments,
  answerStamp,
}: ChatRoutesOptions): Hono<HttpEnv> {
  const router = new Hono<HttpEnv>();
  const toChat = async (viewer: Viewer, chat: ChatRecord): Promise<Chat> => {
    const servers = (await effectiveServers.readForChats(viewer, [chat]))(chat);
    return {
      id: chat.id,
      title: chat.title,
      owner_id: chat.ownerId,
      mcp_server_ids: chat.mcpServerIds,
      mcp_servers: servers.map(({ config, source, state, reason }) => ({
        id: config.id,
        slug: config.slug,
        display_name: config.displayName,
        source,
        state,
        reason,
      })),
      created_at: chat.createdAt.toISOString(),
      updated_at: chat.updatedAt.toISOString(),
    };
  };

  registerOperations(
    router,
    CHAT_GROUP,
    {
      async createChat({ viewer, body }) {
        const { title, mcp_server_ids: mcpServerIds } = body;
        return toChat(viewer, await withRestFieldNames(() => chats.create(viewer, { title, mcpServerIds })));
      },

      async getChat({ viewer, id }) {
        const chat = await chats.find(viewer, id);
        if (chat === null) throw notFound('chat');
        return toChat(viewer, chat);
      },

      async updateChat({ viewer, id, body }) {
        const { title, mcp_server_ids: mcpServerIds } = body;
        return toChat(viewer, await withRestFieldNames(() => chats.update(viewer, { id, title, mcpServerIds })));
      },

      async deleteChat({ viewer, id }) {
        await chats.delete(viewer, id);
        return undefined;
      },

      async getChatMcp({ viewer, id }) {
        const { url, servers } = await door.describeChat(viewer, id);
        return {
          url,
          servers: servers.map(({ id, slug, displayName, source, state, reason, connectUrl }) => ({
            id,
            slug,
            display_name: displayName,
            source,
            state,
            reason,
            ...(connectUrl !== undefined && { connect_url: connectUrl }),
          })),
        };
      },

      async createChatMessage({ viewer, id: chatId, body }) {
        const { content = '', mcp_server_ids: mcpServerIds } = body;
        const message = await withRestFieldNames(() => chats.createMessage(viewer, { chatId, content, mcpServerIds }));
        return {
          id: message.id,
          chat_id: message.chatId,
          content: message.content,
          created_at: message.createdAt.toISOString(),
        };
      },
    },
    { experiments, answerStamp },
  );
  return router;
}

/** What the fields of the service are called in the REST API. The chat's id is in the path there. */
const REST_NAMES: Readonly<Record<string, string>> = { mcpServerIds: 'mcp_server_ids', chatId: 'id' };

/** Converts field names in validation issues to those of the REST API. */
async function withRestFieldNames<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'VALIDATION_FAILED') throw error;
    const issues = (error.details['issues'] ?? []) as readonly ValidationIssue[];
    throw validationFailed(
      issues.map((issue) => ({
        ...issue,
        path: issue.path.map((step) => (typeof step === 'string' ? (REST_NAMES[step] ?? step) : step)),
      })),
    );
  }
}
