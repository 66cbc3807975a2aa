import { createContext, Fragment, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { type Client, Provider, useClient, useQuery } from 'urql';
import { createGraphClient } from '../graph/client.ts';
import { type FeedState, followServers } from '../graph/follow-servers.ts';
import { ViewerDocument, type ViewerQuery } from '../graph/generated/graphql.ts';
import { markSignedIn } from '../graph/leaving.ts';
import { UNTIL_ANSWERED } from '../graph/repeat-queries.ts';
import { FailedPage } from '../ui/failed.tsx';
import { useSessionEnded } from '../ui/session-ended.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';

/** So often a page asks who is signed in, while nobody is. */
const WHILE_ENDED_MS = 5_000;

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
  const startAnew = useCallback(() => setClient(createGraphClient()), []);
  return (
    <Provider value={client}>
      <FollowingSession onLost={startAnew}>{children}</FollowingSession>
    </Provider>
  );
}

function FollowingSession({ children, onLost }: { children: ReactNode; onLost: () => void }) {
  const client = useClient();
  // Stays while a new client asks for all of it again.
  const [known, setKnown] = useState<Known>();
  const [{ data, error, fetching }, retry] = useQuery({
    query: ViewerDocument,
    ...(known !== undefined && { context: UNTIL_ANSWERED }),
  });
  const [feed, setFeed] = useState<FeedState>('connecting');
  const isOther = data !== undefined && known?.client === client && known.viewer.id !== data.viewer.id;
  if (data !== undefined && !fetching && !isOther && (known?.client !== client || known.viewer !== data.viewer)) {
    // A client's first cursor only: later ones are those of the events.
    const { cursor } = known?.client === client ? known : { cursor: data.mcpServerConfigs.feedCursor };
    setKnown({ client, viewer: data.viewer, cursor });
  }

  // Another user signed in in this browser. What the cache has is not theirs.
  useEffect(() => {
    if (!isOther) return;
    setKnown(undefined);
    onLost();
  }, [isOther, onLost]);

  // The feed may be unable to tell who is signed in now: where WebSockets do not pass, it never can.
  const isEnded = useSessionEnded();
  useEffect(() => {
    const ask = async (): Promise<void> => {
      const answer = await client.query(ViewerDocument, {}, { requestPolicy: 'network-only' }).toPromise();
      if (answer.data !== undefined) markSignedIn();
    };
    const askIfVisible = (): void => {
      if (document.visibilityState === 'visible') void ask();
    };
    const timer = isEnded ? setInterval(askIfVisible, WHILE_ENDED_MS) : undefined;
    addEventListener('focus', askIfVisible);
    document.addEventListener('visibilitychange', askIfVisible);
    return () => {
      clearInterval(timer);
      removeEventListener('focus', askIfVisible);
      document.removeEventListener('visibilitychange', askIfVisible);
    };
  }, [client, isEnded]);

  const following = known?.client;
  const cursor = known?.cursor;
  useEffect(() => {
    if (following === undefined || cursor === undefined) return undefined;
    const onState = (state: FeedState): void => {
      if (state === 'live') markSignedIn();
      setFeed(state);
    };
    return followServers(following, { cursor, onState, onLost });
  }, [following, cursor, onLost]);

  const viewer = known?.viewer;
  const value = useMemo(() => (viewer === undefined ? undefined : { ...viewer, feed }), [viewer, feed]);
  if (value === undefined) {
    return error === undefined ? (
      <PageSkeleton />
    ) : (
      <FailedPage error={error} retry={() => retry({ requestPolicy: 'network-only' })} />
    );
  }
  return (
    <ViewerContext value={value}>
      {/* What one user typed is not for another one, who signed in meanwhile. */}
      <Fragment key={value.id}>{children}</Fragment>
    </ViewerContext>
  );
}

/** What one client has found out. */
interface Known {
  client: Client;
  viewer: ViewerQuery['viewer'];
  cursor: string;
}
