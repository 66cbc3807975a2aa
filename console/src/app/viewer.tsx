import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { Provider, useClient, useQuery } from 'urql';
import { createGraphClient } from '../graph/client.ts';
import { type FeedState, followServers } from '../graph/follow-servers.ts';
import { ViewerDocument, type ViewerQuery } from '../graph/generated/graphql.ts';
import { FailedPage } from '../ui/failed.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';

/** Who is signed in, and whether changes arrive. */
export interface Viewer {
  id: string;
  email: string;
  role: ViewerQuery['viewer']['role'];
  /** What they may do, by the names of the gateway's one policy. */
  can: readonly string[];
  feed: FeedState;
}

const ViewerContext = createContext<Viewer | undefined>(undefined);

/** Who is signed in. */
export function useViewer(): Viewer {
  const viewer = useContext(ViewerContext);
  if (viewer === undefined) throw new Error('There is no viewer outside of the session.');
  return viewer;
}

/** Whether the viewer may do something, such as `mcpServerConfig.update`. What they may not do is not offered. */
export function useCan(action: string): boolean {
  return useViewer().can.includes(action);
}

/** Gives its children the graph, the viewer and live changes. */
export function Session({ children }: { children: ReactNode }) {
  // A new client has an empty cache: after a lost feed, everything is asked again.
  const [client, setClient] = useState(createGraphClient);
  return (
    <Provider value={client}>
      <FollowingSession onLost={() => setClient(createGraphClient())}>{children}</FollowingSession>
    </Provider>
  );
}

function FollowingSession({ children, onLost }: { children: ReactNode; onLost: () => void }) {
  const client = useClient();
  const [{ data, error }, retry] = useQuery({ query: ViewerDocument });
  const [feed, setFeed] = useState<FeedState>('connecting');
  const viewer = data?.viewer;
  // The first cursor only: later ones are those of the events.
  const [cursor, setCursor] = useState<string>();
  const firstCursor = data?.mcpServerConfigs.feedCursor;
  if (cursor === undefined && firstCursor !== undefined) setCursor(firstCursor);

  useEffect(() => {
    if (cursor === undefined) return undefined;
    return followServers(client, { cursor, onState: setFeed, onLost });
  }, [client, cursor, onLost]);

  const value = useMemo(() => (viewer === undefined ? undefined : { ...viewer, feed }), [viewer, feed]);
  if (value === undefined) {
    return error === undefined ? (
      <PageSkeleton />
    ) : (
      <FailedPage error={error} retry={() => retry({ requestPolicy: 'network-only' })} />
    );
  }
  return <ViewerContext value={value}>{children}</ViewerContext>;
}
