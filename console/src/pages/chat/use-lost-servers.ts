import { useEffect, useRef, useState } from 'react';
import type { OneChatQuery } from '../../graph/generated/graphql.ts';

type OpenChat = NonNullable<OneChatQuery['chat']>;

/** A server that the chat had, and that cannot be seen any more. */
export interface LostServer {
  id: string;
  name: string;
}

const UNKNOWN = 'A server that you chose';

/**
 * The servers that are in the chat's choice but turned off, also those that it lost while the page was open. Their names are
 * known only if they were seen before: who may not see a server does not learn its name.
 */
export function useLostServers({ mcpServerIds, availableMcpServers: servers }: OpenChat): LostServer[] {
  const applied = useRef<ReadonlyMap<string, string>>(new Map());
  const [seen, setSeen] = useState<readonly LostServer[]>([]);

  useEffect(() => {
    const visible = new Set(servers.map(({ config }) => config.id));
    const gone = [...applied.current].filter(([id]) => !visible.has(id)).map(([id, name]) => ({ id, name }));
    setSeen((before) => {
      const kept = before.filter(({ id }) => !visible.has(id) && !gone.some((each) => each.id === id));
      return gone.length === 0 && kept.length === before.length ? before : [...kept, ...gone];
    });
    const now = servers.filter(({ source }) => source !== null);
    applied.current = new Map(now.map(({ config }) => [config.id, config.displayName]));
  }, [servers]);

  const known = new Set([...servers.map(({ config }) => config.id), ...seen.map(({ id }) => id)]);
  return [...seen, ...mcpServerIds.filter((id) => !known.has(id)).map((id) => ({ id, name: UNKNOWN }))];
}
