import DataLoader from 'dataloader';
import type { ChatRecord, ListedMessageRecord, Page } from '../../data/records.ts';
import type { MessagePagePlace } from '../../data/repositories/chat-repository.ts';
import type { Services } from '../../domain/services.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** A page of one chat's messages. */
export interface MessagePageRequest {
  chat: ChatRecord;
  place: MessagePagePlace;
}

/** Loads pages of messages: one statement for all chats that are asked for the same page, e.g. the first ten. */
export function createMessagePages({ chats }: Services, viewer: Viewer) {
  return new DataLoader<MessagePageRequest, Page<ListedMessageRecord>, string>(
    async (requests) => {
      const pages = new Map<string, Page<ListedMessageRecord>>();
      for (const same of groupByPage(requests)) {
        const found = await chats.listMessages(
          viewer,
          same.map(({ chat }) => chat),
          same[0].place,
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

function toPageKey({ place: { from, size, beyond } }: MessagePageRequest): string {
  return beyond === undefined ? `${from} ${size}` : `${from} ${size} ${beyond.id} ${beyond.createdAt.getTime()}`;
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
