import { useState } from 'react';
import { useQuery } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { Button } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Section } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { Time } from '../../../ui/time.tsx';
import { ServerHistoryDocument } from '../generated/graphql.ts';
import { Changes } from '../parts/changes.tsx';
import { Pager, Table, Under } from '../parts/table.tsx';
import { RestoreDialog } from './restore.tsx';
import { type Entry, listVersions, toRestoredChanges } from './versions.ts';

const ACTIONS: Readonly<Record<string, string>> = {
  MCP_SERVER_CONFIG_CREATE: 'Created it',
  MCP_SERVER_CONFIG_UPDATE: 'Changed it',
  MCP_SERVER_CONFIG_DELETE: 'Deleted it',
  MCP_SERVER_CONFIG_TEST: 'Tested it',
  MCP_SERVER_CONFIG_DISCOVER_OAUTH: 'Looked for its sign-in',
  MCP_SERVER_CONNECTION_CONNECT: 'Connected an account',
  MCP_SERVER_CONNECTION_DISCONNECT: 'Disconnected an account',
  MCP_SERVER_CONNECTION_REFRESH: 'Renewed a connection',
  MCP_SERVER_CONNECTION_REMOVE: 'Removed connections',
  MCP_SERVER_TOOLS_APPROVE: 'Approved tools',
  MCP_SERVER_TOOLS_CHANGE: 'Its tools changed',
  MCP_SERVER_TOOLS_REFRESH: 'Listed its tools',
  MCP_TOOL_CALL: 'Called a tool',
  ACCESS_DENIED: 'Was refused',
};

/** Who changed what, newest first, and the way back to an earlier version. */
export function History({ id }: { id: string }) {
  const mayRestore = useCan('mcpServerConfig.update');
  const [isOpen, setIsOpen] = useState(false);
  const [version, setVersion] = useState(0);
  const [after, setAfter] = useState<string>();
  const [{ data, error }, ask] = useQuery({ query: ServerHistoryDocument, variables: { id, after: after ?? null } });
  const [seen, setSeen] = useState<readonly { after: string | undefined; nodes: readonly Entry[] }[]>([]);
  const server = data?.mcpServerConfig;
  const history = data?.mcpServerConfigHistory;
  // The versions are counted from the newest entry on, so the pages before are needed.
  const before = seen.flatMap(({ nodes }) => nodes);
  const versions = listVersions([...before, ...(history?.nodes ?? [])], server?.version);
  const restoring = versions.find((each) => each.version === version);
  return (
    <Section
      title="History"
      lead="Each change of a setting makes a version. Restoring one makes a new version with its values."
    >
      {error !== undefined && <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />}
      {history === undefined && error === undefined && <ListSkeleton />}
      {history !== undefined && (
        <>
          <Table label="Entries" head={['What', 'Who', 'When', 'Version']}>
            {history.nodes.map((entry) => {
              const made = versions.find((each) => each.entryId === entry.id)?.version;
              const isPast = made !== undefined && server != null && made < server.version;
              return (
                <tr key={entry.id}>
                  <th scope="row">
                    {ACTIONS[entry.action] ?? entry.action}
                    {entry.outcome !== 'SUCCESS' && ` (${entry.outcome === 'DENIED' ? 'refused' : 'failed'})`}
                    {entry.reason !== null && <Under>{entry.reason}</Under>}
                    <Changes changes={entry.changes} />
                  </th>
                  <td>{entry.actorEmail ?? (entry.actorKind === 'SYSTEM' ? 'The gateway' : 'Nobody who is known')}</td>
                  <td>
                    <Time value={entry.occurredAt} />
                  </td>
                  <td>
                    {made !== undefined && `${made}${made === server?.version ? ' (now)' : ''} `}
                    {isPast && mayRestore && (
                      <Button
                        aria-label={`Restore version ${made}`}
                        onClick={() => {
                          setVersion(made);
                          setIsOpen(true);
                        }}
                      >
                        Restore
                      </Button>
                    )}
                  </td>
                </tr>
              );
            })}
          </Table>
          <Pager
            total={history.totalCount}
            words={['entry', 'entries']}
            isFirst={after === undefined}
            next={history.pageInfo.hasNextPage ? history.pageInfo.endCursor : null}
            onGo={(to) => {
              setSeen(to === undefined ? [] : [...seen, { after, nodes: history.nodes }]);
              setAfter(to);
            }}
          />
        </>
      )}
      {server != null && restoring !== undefined && (
        <RestoreDialog
          isOpen={isOpen}
          onClose={() => setIsOpen(false)}
          server={server}
          version={version}
          changes={toRestoredChanges(versions, version)}
        />
      )}
    </Section>
  );
}
