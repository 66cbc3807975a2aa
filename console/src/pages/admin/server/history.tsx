import { useEffect, useState } from 'react';
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
import { listVersions, toRestoredChanges, type Version } from './versions.ts';

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

/** What a page after the first one needs to number its versions. Those of before keep theirs, whatever is changed later. */
interface PageStart {
  /** The server's version when the first page was shown. */
  current: number;
  /** The versions on the pages before, newest first: those from `current` on. */
  newer: readonly Version[];
}

/** Who changed what, newest first, and the way back to an earlier version. */
export function History({ id }: { id: string }) {
  const mayRestore = useCan('mcpServerConfig.update');
  const [isOpen, setIsOpen] = useState(false);
  const [version, setVersion] = useState(0);
  const [after, setAfter] = useState<string>();
  const [{ data, error, operation }, ask] = useQuery({
    query: ServerHistoryDocument,
    variables: { id, after: after ?? null },
    // The cache has the server's version from other queries, too: beside an older list, all numbers would be wrong.
    requestPolicy: 'network-only',
  });
  const [starts, setStarts] = useState<Readonly<Record<string, PageStart>>>({});
  const server = data?.mcpServerConfig;
  const history = data?.mcpServerConfigHistory;
  // While the next page is on its way, the one before it is shown.
  const shown = operation?.variables.after ?? undefined;
  const start = (shown === undefined ? undefined : starts[shown]) ?? { current: server?.version ?? 0, newer: [] };
  const versions = [...start.newer, ...listVersions(history?.nodes ?? [], start.current - start.newer.length)];
  // What restoring would change is known only with all versions, the newest too.
  const isOutdated = server != null && server.version !== start.current;
  useEffect(() => {
    if (isOutdated) setIsOpen(false);
  }, [isOutdated]);
  const restoring = isOutdated ? undefined : versions.find((each) => each.version === version);
  return (
    <Section
      title="History"
      lead="Each change of a setting makes a version. Restoring one makes a new version with its values."
    >
      {error !== undefined && <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />}
      {history === undefined && error === undefined && <ListSkeleton />}
      {history !== undefined && (
        <>
          {isOutdated && mayRestore && (
            <p role="status">
              The server has a newer version than this list. To restore one, go back to the first page.
            </p>
          )}
          <Table label="Entries" head={['What', 'Who', 'When', 'Version']}>
            {history.nodes.map((entry) => {
              const made = versions.find((each) => each.entryId === entry.id)?.version;
              const isPast = made !== undefined && server != null && made < server.version && !isOutdated;
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
            isFirst={shown === undefined}
            next={history.pageInfo.hasNextPage ? history.pageInfo.endCursor : null}
            onGo={(to) => {
              if (to !== undefined) setStarts({ ...starts, [to]: { current: start.current, newer: versions } });
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
