import { hash } from 'node:crypto';
import { isForeignKeyViolation } from '../../data/database/database-error.ts';
import type { ChatRecord, FullMessageRecord, ListedMessageRecord, Page } from '../../data/records.ts';
import type { ChatCursor, MessagePagePlace } from '../../data/repositories/chat-repository.ts';
import type { Repositories, Store } from '../../data/store.ts';
import { notFound, unauthenticated } from '../../errors.ts';
import type { Quotas } from '../../limits/quotas.ts';
import { type Action, assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { Issues } from '../validation/issues.ts';
import { checkChoosable, checkContent, checkDefaultServers, toServerIds, toTitle } from './chat-input.ts';
import { checkChatQuota, checkMessageQuota } from './chat-quotas.ts';

/** The input for a new chat. */
export interface CreateChatInput {
  title?: string | null | undefined;
  /** Absent: the servers that are on by default. */
  mcpServerIds?: readonly string[] | null | undefined;
}

/** The input for a new message. */
export interface CreateChatMessageInput {
  chatId: string;
  content: string;
  /** Absent: the chat keeps its servers. Empty: the chat has none. */
  mcpServerIds?: readonly string[] | null | undefined;
}

/** The changes to a chat. What is absent stays as it is. */
export interface UpdateChatInput {
  id: string;
  title?: string | null | undefined;
  /** Empty: the chat has none. */
  mcpServerIds?: readonly string[] | null | undefined;
}

/** What answers show of chats, by chat id. Two equal versions of a chat show the same. */
export type ChatVersions = ReadonlyMap<string, string>;

/** Reads and writes chats and their messages. */
export type ChatService = ReturnType<typeof createChatService>;

/** Creates the service for chats and their selected servers. */
export function createChatService(options: { store: Store; experiments: ReadonlySet<Experiment>; quotas: Quotas }) {
  const { store, experiments, quotas } = options;

  /** Validates the servers for a chat. Servers that the chat already has may stay, whatever their state. */
  const choose = async (
    from: Pick<Repositories, 'configs'>,
    viewer: Viewer,
    issues: Issues,
    { sent, kept }: { sent: readonly string[]; kept: readonly string[] },
  ): Promise<string[]> => {
    const ids = toServerIds(sent);
    const allowed = await from.configs.holdChoosable(viewer, { ids });
    checkChoosable(issues, { sent, allowed: new Set([...allowed, ...kept]) });
    return ids;
  };

  const holdDefault = async (from: Pick<Repositories, 'configs'>, viewer: Viewer): Promise<string[]> => {
    const ids = await from.configs.holdDefaultOn(viewer, undefined);
    checkDefaultServers(ids);
    return ids;
  };

  return {
    /** One of the viewer's chats, or any chat for services. Null when it does not exist or belongs to someone else. */
    async find(viewer: Viewer, id: string): Promise<ChatRecord | null> {
      assertCan(viewer, 'chat.read');
      assertExperiment(experiments, 'agents');
      return store.chats.findById(viewer, { id });
    },

    /** @param chat null: there is none that the viewer may see */
    versionOf: (chat: ChatRecord | null): string => hash('sha256', JSON.stringify(chat), 'base64'),

    /** Whether chats look to a viewer as they did. Asks the database: requests at the same time ask together. */
    async areUnchanged(viewer: Viewer, versions: ChatVersions): Promise<boolean> {
      const same = [...versions].map(
        async ([id, version]) => this.versionOf(await store.chats.findById(viewer, { id })) === version,
      );
      return (await Promise.all(same)).every(Boolean);
    },

    /** The viewer's own chats, newest first. */
    async list(viewer: Viewer, args: { first: number; after?: ChatCursor | undefined }): Promise<Page<ChatRecord>> {
      assertCan(viewer, 'chat.list');
      assertExperiment(experiments, 'agents');
      return store.chats.list(viewer, args);
    },

    async count(viewer: Viewer): Promise<number> {
      return store.chats.count(viewer, {});
    },

    /** @throws FORBIDDEN, VALIDATION_FAILED with each server that may not be selected, and if the quota is used */
    async create(viewer: Viewer, input: CreateChatInput): Promise<ChatRecord> {
      const ownerId = assertMayWrite(viewer, experiments, 'chat.create');
      return withOwner(() =>
        store.transaction(async (tx) => {
          const issues = new Issues();
          const title = toTitle(issues, input.title ?? '');
          const mcpServerIds =
            input.mcpServerIds == null
              ? await holdDefault(tx, viewer)
              : await choose(tx, viewer, issues, { sent: input.mcpServerIds, kept: [] });
          await checkChatQuota(tx, viewer, issues, { quotas, ownerId });
          issues.throwIfAny();
          const chat = await tx.chats.create(viewer, { ownerId, title, mcpServerIds });
          const changes = [{ field: 'mcpServerIds', before: [], after: mcpServerIds }];
          await tx.audit.append(SYSTEM, { actor: viewer, action: 'chat.create', target: toTarget(chat), changes });
          return chat;
        }),
      );
    },

    /**
     * Changes the title or the servers of one of the viewer's chats. Nothing is recorded when nothing changes.
     *
     * @throws FORBIDDEN, NOT_FOUND, RATE_LIMITED, VALIDATION_FAILED as for `create`
     */
    async update(viewer: Viewer, input: UpdateChatInput): Promise<ChatRecord> {
      const ownerId = assertMayWrite(viewer, experiments, 'chat.write');
      return store.transaction(async (tx) => {
        const found = await tx.chats.lockOwn(viewer, { id: input.id });
        if (found === null) throw notFound('chat');
        const { messageCount: _messageCount, ...chat } = found;
        const issues = new Issues();
        const title = input.title == null ? chat.title : toTitle(issues, input.title);
        const kept = chat.mcpServerIds;
        const mcpServerIds =
          input.mcpServerIds == null ? kept : await choose(tx, viewer, issues, { sent: input.mcpServerIds, kept });
        issues.throwIfAny();
        // Titles are private: the log says only that one changed.
        const ofTitle = title === chat.title ? [] : [{ field: 'title', changed: true as const }];
        const changes = [...ofTitle, ...toServerChanges(kept, mcpServerIds)];
        if (changes.length === 0) return chat;
        const updated = await tx.chats.update(viewer, { id: chat.id, ownerId, title, mcpServerIds });
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'chat.update', target: toTarget(chat), changes });
        return updated;
      });
    },

    /** Deletes one of the viewer's chats with its messages. @throws FORBIDDEN, NOT_FOUND, RATE_LIMITED */
    async delete(viewer: Viewer, id: string): Promise<void> {
      const ownerId = assertMayWrite(viewer, experiments, 'chat.delete');
      await store.transaction(async (tx) => {
        const chat = await tx.chats.lockOwn(viewer, { id });
        if (chat === null) throw notFound('chat');
        await tx.chats.delete(viewer, { id: chat.id, ownerId });
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'chat.delete', target: toTarget(chat), changes: [] });
      });
    },

    /** @throws FORBIDDEN, NOT_FOUND, VALIDATION_FAILED as for `create` */
    async createMessage(viewer: Viewer, input: CreateChatMessageInput): Promise<FullMessageRecord> {
      const ownerId = assertMayWrite(viewer, experiments, 'chat.write');
      const { chatId, content } = input;
      return store.transaction(async (tx) => {
        const chat = await tx.chats.lockOwn(viewer, { id: chatId });
        if (chat === null) throw notFound('chat');
        const issues = new Issues();
        checkContent(issues, content);
        const kept = chat.mcpServerIds;
        const mcpServerIds =
          input.mcpServerIds == null ? kept : await choose(tx, viewer, issues, { sent: input.mcpServerIds, kept });
        await checkMessageQuota(tx, viewer, issues, { quotas, chat, content });
        issues.throwIfAny();
        const message = await tx.chats.createMessage(viewer, { chatId, ownerId, content, mcpServerIds });
        await tx.audit.append(SYSTEM, {
          actor: viewer,
          action: 'chatMessage.create',
          target: toTarget(chat),
          changes: toServerChanges(kept, mcpServerIds),
        });
        return message;
      });
    },

    /** A page of the messages of each chat, by chat id, oldest first. Chats of the viewer, or any chats for services. */
    async listMessages(
      viewer: Viewer,
      chats: readonly ChatRecord[],
      place: MessagePagePlace,
    ): Promise<Map<string, Page<ListedMessageRecord>>> {
      return store.chats.listMessages(viewer, { chats, place });
    },

    /** The texts of listed messages, by id. */
    async findContents(viewer: Viewer, ids: readonly string[]): Promise<Map<string, string>> {
      return store.chats.findContents(viewer, { ids });
    },

    /** The number of messages of each chat, by chat id. Chats without messages are left out. */
    async countMessages(viewer: Viewer, chats: readonly ChatRecord[]): Promise<Map<string, number>> {
      return store.chats.countMessages(viewer, { chats });
    },
  };
}

function assertMayWrite(viewer: Viewer, experiments: ReadonlySet<Experiment>, action: Action): string {
  assertCan(viewer, action);
  assertExperiment(experiments, 'agents');
  const userId = viewerUserId(viewer);
  if (userId === undefined) throw unauthenticated();
  return userId;
}

function toServerChanges(before: readonly string[], after: readonly string[]) {
  return before.join() === after.join() ? [] : [{ field: 'mcpServerIds', before, after }];
}

/** Chat titles are private, so the audit log has only the id. */
function toTarget({ id }: ChatRecord) {
  return { type: 'chat', id } as const;
}

async function withOwner<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    // The owner was deleted during the write.
    if (isForeignKeyViolation(error)) throw unauthenticated();
    throw error;
  }
}
