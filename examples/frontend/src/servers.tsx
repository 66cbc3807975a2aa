import { useQuery, useSubscription } from 'urql';
import { graphql } from './generated';

const ListServers = graphql(`
  query ListServers {
    mcpServerConfigs(first: 100) {
      feedCursor
      nodes {
        id
        displayName
        description
        viewerState
        viewerStateReason
      }
    }
  }
`);

const FollowServers = graphql(`
  subscription FollowServers($after: String) {
    mcpServerConfigEvents(after: $after) {
      type
      cursor
    }
  }
`);

const WORDS: Readonly<Record<string, string>> = {
  READY: 'ready',
  NEEDS_CONNECT: 'connect your account first',
  RECONNECT: 'connect your account again',
  DISABLED: 'switched off',
  UNAVAILABLE: 'not available',
};

/** The servers that the user may see. The list is the gateway's at any time: each change asks for it again. */
export function Servers() {
  const [{ data, error }, refresh] = useQuery({ query: ListServers });
  const after = data?.mcpServerConfigs.feedCursor;
  const [changes] = useSubscription(
    { query: FollowServers, variables: { after: after ?? null }, pause: after === undefined },
    (_, event) => {
      if (event.mcpServerConfigEvents.type !== 'BOOKMARK') refresh();
      return event;
    },
  );
  const problem = error ?? changes.error;
  if (problem !== undefined) return <p role="alert">{problem.message}</p>;
  if (data === undefined) return <p>Loading …</p>;
  return (
    <ul aria-label="Servers">
      {data.mcpServerConfigs.nodes.map(({ id, displayName, description, viewerState, viewerStateReason }) => (
        <li key={id} title={viewerStateReason ?? undefined}>
          <strong>{displayName}</strong>: {WORDS[viewerState]}. {description}
        </li>
      ))}
    </ul>
  );
}
