import { useNavigate, useSearch } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { NoServers } from '../../../app/no-servers.tsx';
import { useCan } from '../../../app/viewer.tsx';
import { Button, LinkButton } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { SelectField, TextField } from '../../../ui/form.tsx';
import { Empty, Page } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { AdminServersDocument } from '../generated/graphql.ts';
import { AdminOnly } from '../parts/admin-page.tsx';
import { toSearch } from '../parts/search.ts';
import { Filters, Options, Pager, Table } from '../parts/table.tsx';
import { AUTH_TEXT, AVAILABILITY_TEXT } from '../parts/words.ts';
import { readServersSearch, type ServersSearch } from './search.ts';
import { ServerRow } from './server-row.tsx';

const PAGE_SIZE = 50;

/** All servers that are defined, as their admins see them. */
export function AdminServersPage() {
  return (
    <AdminOnly action="mcpServerConfig.readImpact">
      <Servers />
    </AdminOnly>
  );
}

function Servers() {
  const search = useSearch({ from: '/admin/servers' });
  const navigate = useNavigate();
  const mayCreate = useCan('mcpServerConfig.create');
  const { q, state, auth, availability, after } = search;
  const go = (to: ServersSearch) => navigate({ to: '/admin/servers', search: to });
  const [{ data, error }, ask] = useQuery({
    query: AdminServersDocument,
    variables: {
      first: PAGE_SIZE,
      after: after ?? null,
      filter: {
        ...(q !== undefined && { search: q }),
        ...toStateFilter(state),
        ...(auth !== undefined && { authType: auth }),
        ...(availability !== undefined && { availability }),
      },
    },
  });
  const list = data?.mcpServerConfigs;
  const filters = toSearch(search);
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <Page
      title="Servers"
      lead="The MCP servers of this gateway. What you change here takes effect for everybody at once."
      actions={
        mayCreate && (
          <LinkButton to="/admin/servers/new" search={{}} look="primary">
            Add a server
          </LinkButton>
        )
      }
    >
      <Filters label="Servers" values={filters} onApply={(values) => go(toSearch(readServersSearch(values)))}>
        <TextField label="Search" name="q" type="search" />
        <SelectField label="State" name="state">
          <Options all="All" texts={{ on: 'Turned on', off: 'Turned off', UNAVAILABLE: 'A secret does not open' }} />
        </SelectField>
        <SelectField label="Sign-in" name="auth">
          <Options all="All" texts={AUTH_TEXT} />
        </SelectField>
        <SelectField label="Availability" name="availability">
          <Options all="All" texts={AVAILABILITY_TEXT} />
        </SelectField>
      </Filters>
      {error !== undefined && <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />}
      {list === undefined && error === undefined && <ListSkeleton />}
      {list?.totalCount === 0 &&
        (isFiltered ? (
          <NoMatch onClear={() => go({})} />
        ) : (
          <NoServers
            forAdmins="Paste the URL of an MCP server, or the file of an editor. Members see a server as soon as it is turned on."
            forOthers="Only admins can add one. Members see a server as soon as it is turned on."
          />
        ))}
      {list !== undefined && list.totalCount > 0 && (
        <>
          <Table label="Servers" head={['Server', 'State', 'Answers', 'Sign-in', 'Availability', 'Connected']}>
            {list.nodes.map((server) => (
              <ServerRow key={server.id} server={server} />
            ))}
          </Table>
          <Pager
            total={list.totalCount}
            words={['server', 'servers']}
            isFirst={after === undefined}
            next={list.pageInfo.hasNextPage ? list.pageInfo.endCursor : null}
            onGo={(to) => go({ ...filters, ...(to !== undefined && { after: to }) })}
          />
        </>
      )}
    </Page>
  );
}

function toStateFilter(state: ServersSearch['state']) {
  if (state === 'UNAVAILABLE') return { viewerState: state };
  return state === undefined ? {} : { enabled: state === 'on' };
}

function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <Empty title="No server fits these filters" actions={<Button onClick={onClear}>Show all servers</Button>}>
      Change the search or the filters above.
    </Empty>
  );
}
