import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef } from 'react';
import { useMutation, useQuery } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { Button } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { SelectField, TextField } from '../../../ui/form.tsx';
import { Empty, Page } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { Status, type Tone } from '../../../ui/status.tsx';
import { Time } from '../../../ui/time.tsx';
import {
  AuditLogDocument,
  type AuditLogQuery,
  type AuditOutcome,
  VerifyAuditLogDocument,
} from '../generated/graphql.ts';
import { AdminOnly } from '../parts/admin-page.tsx';
import { Changes } from '../parts/changes.tsx';
import { toSearch } from '../parts/search.ts';
import { Filters, Options, Pager, Table, Under } from '../parts/table.tsx';
import { ACTIONS } from './actions.ts';
import { type AuditSearch, readAuditSearch } from './search.ts';

type Entry = AuditLogQuery['auditLog']['nodes'][number];

const OUTCOMES: Readonly<Record<AuditOutcome, { tone: Tone; text: string }>> = {
  SUCCESS: { tone: 'good', text: 'Done' },
  DENIED: { tone: 'bad', text: 'Refused' },
  FAILED: { tone: 'warn', text: 'Failed' },
};

/** How often the first page looks for new entries. The feed does not tell of them. */
const LOOK_MS = 5_000;

/** Who did what, and what was refused. */
export function AuditPage() {
  return (
    <AdminOnly action="auditLog.read">
      <Audit />
    </AdminOnly>
  );
}

function Audit() {
  const search = useSearch({ from: '/admin/audit' });
  const navigate = useNavigate();
  const mayVerify = useCan('auditLog.verify');
  const { action, outcome, actor, target, since, until, after } = search;
  const go = (to: AuditSearch) => navigate({ to: '/admin/audit', search: to });
  const [{ data, error }, ask] = useQuery({
    query: AuditLogDocument,
    // The log grows while other pages are shown.
    requestPolicy: 'cache-and-network',
    variables: {
      first: 50,
      after: after ?? null,
      filter: {
        ...(action !== undefined && { action }),
        ...(outcome !== undefined && { outcome }),
        ...(actor !== undefined && { actorId: actor }),
        ...(target !== undefined && { targetId: target }),
        ...(since !== undefined && { since: new Date(since).toISOString() }),
        ...(until !== undefined && { until: new Date(until).toISOString() }),
      },
    },
  });
  useLatest(after === undefined && error === undefined, () => ask({ requestPolicy: 'network-only' }));
  const list = data?.auditLog;
  const filters = toSearch(search);
  return (
    <Page
      title="Audit log"
      lead="Every change and every refusal, newest first. Secrets are never in it."
      actions={
        <>
          <Button onClick={() => ask({ requestPolicy: 'network-only' })}>Look again</Button>
          {mayVerify && <Verify />}
        </>
      }
    >
      <Filters label="Audit log" values={filters} onApply={(values) => go(toSearch(readAuditSearch(values)))}>
        <SelectField label="What happened" name="action">
          <Options all="Everything" texts={ACTIONS} />
        </SelectField>
        <SelectField label="Outcome" name="outcome">
          <Options all="All" texts={{ SUCCESS: 'Done', DENIED: 'Refused', FAILED: 'Failed' }} />
        </SelectField>
        <TextField label="Who (id)" name="actor" />
        <TextField label="To what (id)" name="target" />
        <TextField label="From" name="since" type="datetime-local" />
        <TextField label="Until" name="until" type="datetime-local" />
      </Filters>
      {error !== undefined && <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />}
      {list === undefined && error === undefined && <ListSkeleton rows={6} />}
      {list?.totalCount === 0 && (
        <Empty title="Nothing fits these filters">Change the filters above to see more.</Empty>
      )}
      {list !== undefined && list.totalCount > 0 && (
        <>
          <Table label="Entries" head={['When', 'Who', 'What', 'To what', 'Outcome']}>
            {list.nodes.map((entry) => (
              <Row key={entry.id} entry={entry} />
            ))}
          </Table>
          <Pager
            total={list.totalCount}
            words={['entry', 'entries']}
            isFirst={after === undefined}
            next={list.pageInfo.hasNextPage ? list.pageInfo.endCursor : null}
            onGo={(to) => go({ ...filters, ...(to !== undefined && { after: to }) })}
          />
        </>
      )}
    </Page>
  );
}

function Row({ entry }: { entry: Entry }) {
  const { occurredAt, action, outcome, reason, address, changes } = entry;
  return (
    <tr>
      <td>
        <Time value={occurredAt} />
      </td>
      <td>
        <Actor entry={entry} />
        {address !== null && <Under>{address}</Under>}
      </td>
      <td>
        {ACTIONS[action]}
        <Changes changes={changes} />
      </td>
      <td>
        <Target entry={entry} />
      </td>
      <td>
        <Status tone={OUTCOMES[outcome].tone}>{OUTCOMES[outcome].text}</Status>
        {reason !== null && <Under>{reason}</Under>}
      </td>
    </tr>
  );
}

/** Who did it, as a link to them. */
function Actor({ entry }: { entry: Pick<Entry, 'actorId' | 'actorEmail' | 'actorKind'> }) {
  const { actorId, actorEmail, actorKind } = entry;
  if (actorId === null) return actorKind === 'SYSTEM' ? 'The gateway' : 'Nobody who is known';
  return (
    <Link to="/admin/people/$id" params={{ id: actorId }}>
      {actorEmail ?? 'A user who was deleted'}
    </Link>
  );
}

function Target({ entry: { targetType, targetId, targetLabel, actorId, actorEmail } }: { entry: Entry }) {
  if (targetId === null) return targetLabel ?? '–';
  const text = targetLabel ?? (targetId === actorId ? actorEmail : null) ?? targetId;
  const all = (
    <Under>
      <Link to="/admin/audit" search={{ target: targetId }}>
        {targetType === 'USER' ? 'All about them' : 'All about it'}
      </Link>
    </Under>
  );
  const named = (link: ReactNode) => (
    <>
      {link}
      {all}
    </>
  );
  if (targetType === 'MCP_SERVER_CONFIG') {
    return named(
      <Link to="/admin/servers/$id" params={{ id: targetId }}>
        {text}
      </Link>,
    );
  }
  if (targetType === 'USER') {
    return named(
      <Link to="/admin/people/$id" params={{ id: targetId }}>
        {text}
      </Link>,
    );
  }
  if (targetType === 'ENCRYPTION_KEY') return named(<Link to="/admin/keys">{text}</Link>);
  return named(text);
}

/** Asks for the first page again and again while somebody looks at it. A page further back stays as it is. */
function useLatest(isFirst: boolean, ask: () => void): void {
  const latest = useRef(ask);
  useEffect(() => {
    latest.current = ask;
  });
  useEffect(() => {
    if (!isFirst) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') latest.current();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [isFirst]);
}

function Verify() {
  const [{ data, error, fetching }, verify] = useMutation(VerifyAuditLogDocument);
  const result = data?.verifyAuditLog.verification;
  return (
    <>
      <Button isBusy={fetching} onClick={() => verify({})}>
        Check that nothing was altered
      </Button>
      <span role="status">
        {error?.message}
        {result !== undefined && result.problem === null && (
          <Status tone="good">{`${result.checked} entries, none altered`}</Status>
        )}
        {result !== undefined && result.problem !== null && <Status tone="bad">{result.problem}</Status>}
      </span>
    </>
  );
}
