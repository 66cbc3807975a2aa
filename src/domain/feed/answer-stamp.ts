import type { FeedReader } from '../../data/memory/feed-reader.ts';

/** Tells whether configs, connections and callers are unchanged: two equal stamps mean that they are. */
export interface AnswerStamp {
  /** The stamp after whatever must be asked before memory may be used. Usually nothing must be asked. */
  fresh(): string | Promise<string>;
  /** The stamp as far as this process knows now. */
  current(): string;
}

/**
 * Creates the stamp from the feed, from the secrets that are known not to open, and from the times at which connections
 * expire.
 */
export function createAnswerStamp(
  reader: FeedReader,
  { secrets, expiry }: { secrets: { stamp(): string }; expiry: { stamp(): string } },
): AnswerStamp {
  const current = () => `${reader.stamp()} ${expiry.stamp()} ${secrets.stamp()}`;
  return {
    current,
    fresh: () => reader.fresh()?.then(current) ?? current(),
  };
}
