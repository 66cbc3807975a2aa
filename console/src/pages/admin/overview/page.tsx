import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useQuery } from 'urql';
import { useViewer } from '../../../app/viewer.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Card, Empty, Page, Section } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { Time } from '../../../ui/time.tsx';
import { ACTIONS } from '../audit/actions.ts';
import { OverviewDocument, type OverviewQuery } from '../generated/graphql.ts';
import { AdminOnly } from '../parts/admin-page.tsx';
import { Answers } from '../parts/answers.tsx';
import { Problem } from '../parts/problem.tsx';
import { Table } from '../parts/table.tsx';
import styles from './overview.module.css';

const DAY_MS = 86_400_000;

const FEED = {
  connecting: 'The feed of changes is being opened.',
  live: 'Changes arrive live.',
  interrupted: 'The feed of changes is interrupted: these numbers may be old.',
} as const;

/** What an admin looks at first: numbers that lead to their list. */
export function OverviewPage() {
  return (
    <AdminOnly action="auditLog.read">
      <Overview />
    </AdminOnly>
  );
}

function Overview() {
  const { feed } = useViewer();
  const [dayAgo] = useState(() => new Date(Date.now() - DAY_MS).toISOString());
  const [{ data, error }, ask] = useQuery({
    query: OverviewDocument,
    variables: { dayAgo },
    requestPolicy: 'cache-and-network',
  });
  return (
    <Page title="Overview" lead={FEED[feed]}>
      {data === undefined && error === undefined && <ListSkeleton />}
      {error !== undefined && <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />}
      {data !== undefined && <Numbers data={data} since={dayAgo} />}
    </Page>
  );
}

function Numbers({ data, since }: { data: OverviewQuery; since: string }) {
  const { on, off, gatewayStatus, people, suspended, denied, failed } = data;
  const { connectionCount, unreachableServerCount, unreachableServers, changeFeed } = gatewayStatus;
  const from = toLocal(new Date(since));
  return (
    <>
      <ul className={styles.numbers}>
        <Tile count={on.totalCount} text="servers turned on">
          <Link to="/admin/servers" search={{ state: 'on' }}>
            Show them
          </Link>
        </Tile>
        <Tile count={off.totalCount} text="servers turned off">
          <Link to="/admin/servers" search={{ state: 'off' }}>
            Show them
          </Link>
        </Tile>
        <Tile count={connectionCount} text="connected accounts">
          <Link to="/admin/people">Show people</Link>
        </Tile>
        <Tile count={people.totalCount} text="active people">
          <Link to="/admin/people" search={{ status: 'ACTIVE' }}>
            Show them
          </Link>
        </Tile>
        <Tile count={suspended.totalCount} text="suspended people">
          <Link to="/admin/people" search={{ status: 'SUSPENDED' }}>
            Show them
          </Link>
        </Tile>
        <Tile count={denied.totalCount} text="refusals since yesterday">
          <Link to="/admin/audit" search={{ outcome: 'DENIED', since: from }}>
            Show them
          </Link>
        </Tile>
        <Tile count={failed.totalCount} text="failures since yesterday">
          <Link to="/admin/audit" search={{ outcome: 'FAILED', since: from }}>
            Show them
          </Link>
        </Tile>
        <FeedTile {...changeFeed} />
      </ul>
      <Section title="Servers that do not answer">
        {unreachableServerCount > unreachableServers.length && (
          <p>
            The first {unreachableServers.length} of {unreachableServerCount}.
          </p>
        )}
        {unreachableServers.length === 0 ? (
          <Empty title="None">Every server that was asked answers.</Empty>
        ) : (
          <Table label="List of servers that do not answer" head={['Server', 'State', 'Why']}>
            {unreachableServers.map(({ id, displayName, reachability }) => (
              <tr key={id}>
                <td>
                  <Link to="/admin/servers/$id" params={{ id }}>
                    {displayName}
                  </Link>
                </td>
                <td>
                  <Answers state={reachability.state} />
                </td>
                <td>{reachability.problem === null ? '–' : <Problem code={reachability.problem} />}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
      <Section title="Latest refusals">
        {denied.nodes.length === 0 ? (
          <Empty title="None">Nobody was refused anything since yesterday.</Empty>
        ) : (
          <Table label="List of latest refusals" head={['When', 'Who', 'What', 'Why']}>
            {denied.nodes.map(({ id, occurredAt, actorEmail, action, reason }) => (
              <tr key={id}>
                <td>
                  <Time value={occurredAt} />
                </td>
                <td>{actorEmail ?? 'Nobody who is known'}</td>
                <td>{ACTIONS[action]}</td>
                <td>{reason ?? '–'}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
    </>
  );
}

/** As a field for a time has it: in the browser's time zone, `2026-11-29T08:00`. */
function toLocal(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** How far behind the gateway is: a part of a second, unless its database is slow or away. */
function FeedTile({ isListening, unreadCount, lagMs }: OverviewQuery['gatewayStatus']['changeFeed']) {
  const lag =
    lagMs < 2_000 ? `${lagMs.toLocaleString('en')} ms` : `${Math.round(lagMs / 1_000).toLocaleString('en')} s`;
  return (
    <li>
      <Card className={styles.tile}>
        <b className={styles.count}>{unreadCount.toLocaleString('en')}</b> changes still to be read: the gateway knew
        all of them {lag} ago
        {!isListening && ', and the database does not notify it'}
      </Card>
    </li>
  );
}

function Tile({ count, text, children }: { count: number; text: string; children?: ReactNode }) {
  return (
    <li>
      <Card className={styles.tile}>
        <b className={styles.count}>{count.toLocaleString('en')}</b> {text}
        {children !== undefined && <span className={styles.link}>{children}</span>}
      </Card>
    </li>
  );
}
