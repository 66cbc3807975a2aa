import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useQuery } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { Button } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { SelectField, TextField } from '../../../ui/form.tsx';
import { Empty, Page } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { Status } from '../../../ui/status.tsx';
import { Time } from '../../../ui/time.tsx';
import { PeopleDocument } from '../generated/graphql.ts';
import { AdminOnly } from '../parts/admin-page.tsx';
import { toSearch } from '../parts/search.ts';
import { Filters, Options, Pager, Table } from '../parts/table.tsx';
import { AddPersonDialog } from './add-person.tsx';
import { type PeopleSearch, readPeopleSearch } from './search.ts';
import { ROLE_TEXT, STATUS_TEXT } from './words.ts';

const PAGE_SIZE = 50;

/** Everybody who has an account here. */
export function PeoplePage() {
  return (
    <AdminOnly action="user.list">
      <People />
    </AdminOnly>
  );
}

function People() {
  const search = useSearch({ from: '/admin/people' });
  const navigate = useNavigate();
  const mayAdd = useCan('user.create');
  const [isAdding, setIsAdding] = useState(false);
  const { q, role, status, order, after } = search;
  const go = (to: PeopleSearch) => navigate({ to: '/admin/people', search: to });
  const [{ data, error }, ask] = useQuery({
    query: PeopleDocument,
    // People are created at their first sign-in, too.
    requestPolicy: 'cache-and-network',
    variables: {
      first: PAGE_SIZE,
      after: after ?? null,
      orderBy: order ?? 'CREATED_ASC',
      filter: {
        ...(q !== undefined && { search: q }),
        ...(role !== undefined && { role }),
        ...(status !== undefined && { status }),
      },
    },
  });
  const list = data?.users;
  const filters = toSearch(search);
  return (
    <Page
      title="People"
      lead="Everybody who has an account, and the programs that act for them."
      actions={mayAdd && <Button onClick={() => setIsAdding(true)}>Add a person</Button>}
    >
      <Filters label="People" values={filters} onApply={(values) => go(toSearch(readPeopleSearch(values)))}>
        <TextField label="Search" name="q" type="search" />
        <SelectField label="Role" name="role">
          <Options all="All" texts={ROLE_TEXT} />
        </SelectField>
        <SelectField label="State" name="status">
          <Options all="All" texts={STATUS_TEXT} />
        </SelectField>
        <SelectField label="Order" name="order">
          <Options all="Oldest first" texts={{ CREATED_DESC: 'Newest first', EMAIL_ASC: 'By address' }} />
        </SelectField>
      </Filters>
      {error !== undefined && <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />}
      {list === undefined && error === undefined && <ListSkeleton />}
      {list?.totalCount === 0 && (
        <Empty title="Nobody fits these filters" actions={<Button onClick={() => go({})}>Show everybody</Button>}>
          Change the search or the filters above.
        </Empty>
      )}
      {list !== undefined && list.totalCount > 0 && (
        <>
          <Table label="People" head={['Address', 'Role', 'State', 'Since']}>
            {list.nodes.map(({ id, email, role: hasRole, status: hasStatus, createdAt }) => (
              <tr key={id}>
                <td>
                  <Link to="/admin/people/$id" params={{ id }}>
                    {email}
                  </Link>
                </td>
                <td>{ROLE_TEXT[hasRole]}</td>
                <td>
                  <Status tone={hasStatus === 'ACTIVE' ? 'good' : 'bad'}>{STATUS_TEXT[hasStatus]}</Status>
                </td>
                <td>
                  <Time value={createdAt} />
                </td>
              </tr>
            ))}
          </Table>
          <Pager
            total={list.totalCount}
            words={['person', 'people']}
            isFirst={after === undefined}
            next={list.pageInfo.hasNextPage ? list.pageInfo.endCursor : null}
            onGo={(to) => go({ ...filters, ...(to !== undefined && { after: to }) })}
          />
        </>
      )}
      <AddPersonDialog isOpen={isAdding} onClose={() => setIsAdding(false)} />
    </Page>
  );
}
