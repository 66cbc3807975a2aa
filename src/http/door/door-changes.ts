/**
 * Looks at a caller's list after each event of their feed, and says when it differs. The feed has an event at least every
 * few seconds, so changes that it does not tell, such as other servers in a chat, are seen, too.
 *
 * @param options.events the caller's feed: it ends with their credential, by age, and when the gateway stops
 * @param options.digest changes when the list does; fails when the caller may not see it any more
 * @returns a function that ends it
 */
export async function followList(options: {
  events: AsyncIterableIterator<unknown>;
  digest: () => Promise<string>;
  onChange: () => void;
  onEnd: () => void;
}): Promise<() => void> {
  const { events, digest, onChange, onEnd } = options;
  const end = (): void => void events.return?.().catch(() => undefined);
  let last: string;
  try {
    last = await digest();
  } catch (error) {
    end();
    throw error;
  }
  const follow = async (): Promise<void> => {
    for await (const _event of events) {
      const next = await digest();
      if (next !== last) onChange();
      last = next;
    }
  };
  void follow()
    // The client opens another stream, and hears there why it cannot.
    .catch(() => undefined)
    .finally(() => {
      end();
      onEnd();
    });
  return end;
}
