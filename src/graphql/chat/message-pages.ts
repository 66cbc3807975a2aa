import DataLoader from 'dataloader';
import type { ChatRecord, ListedMessageRecord, Page } from '../../data/records.ts';
import type { ChatCursor } from '../../data/repositories/chat-repository.ts';
import type { Services } from '../../domain/services.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** A page of one chat's messages. */
export interface MessagePageRequest {
  chat: ChatRecord;
  first: number;
  after: ChatCursor | undefined;
}

/** Loads pages of messages: one statement for all chats that are asked for the same page, e.g. the first ten. */
export function createMessagePages({ chats }: Services, viewer: Viewer) {
  return new DataLoader<MessagePageRequest, Page<ListedMessageRecord>, string>(
    async (requests) => {
      const pages = new Map<string, Page<ListedMessageRecord>>();
      for (const same of groupByPage(requests)) {
        const { first, after } = same[0];
        const found = await chats.listMessages(
          viewer,
          same.map(({ chat }) => chat),
          { first, after },
        );
        for (const request of same) pages.set(toKey(request), found.get(request.chat.id) ?? EMPTY);
      }
      return requests.map((request) => pages.get(toKey(request)) ?? EMPTY);
    },
    { cacheKeyFn: toKey },
  );
}

const EMPTY: Page<ListedMessageRecord> = { rows: [], hasMore: false };

function toKey(request: MessagePageRequest): string {
  return `${request.chat.id} ${toPageKey(request)}`;
}

function toPageKey({ first, after }: MessagePageRequest): string {
  return after === undefined ? `${first}` : `${first} ${after.id} ${after.createdAt.getTime()}`;
}

function groupByPage(requests: readonly MessagePageRequest[]): [MessagePageRequest, ...MessagePageRequest[]][] {
  const groups = new Map<string, [MessagePageRequest, ...MessagePageRequest[]]>();
  for (const request of requests) {
    const group = groups.get(toPageKey(request));
    if (group === undefined) groups.set(toPageKey(request), [request]);
    else group.push(request);
  }
  return [...groups.values()];
}
