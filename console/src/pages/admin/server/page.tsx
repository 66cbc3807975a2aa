import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { LinkButton } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Empty, Page } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import {
  AdminServerDocument,
  type AdminServerUsageFragment,
  type ServerSettingsFragment,
} from '../generated/graphql.ts';
import { AdminOnly } from '../parts/admin-page.tsx';
import styles from '../parts/views.module.css';
import { Facts } from './facts.tsx';
import { History } from './history.tsx';
import { Settings } from './settings.tsx';
import { Summary } from './summary.tsx';
import { DeleteButton, DisconnectButton, SwitchButton } from './switch.tsx';
import { TestServer } from './test.tsx';
import { Tools } from './tools.tsx';
import { Usage } from './usage.tsx';

/** One server, as its admins see it: settings, tools and history. */
export function AdminServerPage() {
  const { id } = useParams({ from: '/admin/servers/$id' });
  return (
    <AdminOnly action="mcpServerConfig.readImpact">
      <Server key={id} id={id} />
    </AdminOnly>
  );
}

function Server({ id }: { id: string }) {
  const [{ data, error }, ask] = useQuery({ query: AdminServerDocument, variables: { id } });
  const reload = () => ask({ requestPolicy: 'network-only' });
  if (data === undefined) {
    return (
      <Page title="Server">{error === undefined ? <ListSkeleton /> : <Failed error={error} retry={reload} />}</Page>
    );
  }
  const server = data.mcpServerConfig;
  if (server === null) {
    return (
      <Page title="Server">
        <Empty title="There is no such server" actions={<LinkButton to="/admin/servers">All servers</LinkButton>}>
          It was deleted, or there never was one at this address. The audit log keeps what was done to it.
        </Empty>
      </Page>
    );
  }
  return <ServerViews server={server} usage={server.usage} reload={reload} />;
}

function ServerViews({
  server,
  usage,
  reload,
}: {
  server: ServerSettingsFragment;
  usage: AdminServerUsageFragment | null;
  reload: () => void;
}) {
  const { view } = useSearch({ from: '/admin/servers/$id' });
  const mayUpdate = useCan('mcpServerConfig.update');
  const mayDelete = useCan('mcpServerConfig.delete');
  const mayTest = useCan('mcpServerConfig.test');
  const mayDisconnect = useCan('mcpServerConnection.removeAny');
  return (
    <Page
      title={server.displayName}
      lead={<Summary server={server} />}
      actions={
        <>
          {mayUpdate && <SwitchButton server={server} />}
          {mayDisconnect && (server.connectedUserCount ?? 0) > 0 && <DisconnectButton server={server} />}
          {mayDelete && <DeleteButton server={server} />}
        </>
      }
    >
      <nav aria-label="Parts of the server" className={styles.views}>
        <ViewLink id={server.id} text="Settings" />
        <ViewLink id={server.id} view="tools" text="Tools" />
        <ViewLink id={server.id} view="history" text="History" />
      </nav>
      {view === undefined && (
        <>
          {mayUpdate ? <Settings server={server} reload={reload} /> : <Facts server={server} />}
          {usage !== null && <Usage usage={usage} />}
          {mayTest && <TestServer id={server.id} />}
        </>
      )}
      {view === 'tools' && <Tools id={server.id} />}
      {view === 'history' && <History id={server.id} />}
    </Page>
  );
}

function ViewLink({ id, view, text }: { id: string; view?: 'tools' | 'history'; text: string }) {
  return (
    <Link
      to="/admin/servers/$id"
      params={{ id }}
      search={view === undefined ? {} : { view }}
      activeOptions={{ exact: true, includeSearch: true }}
      className={styles.view}
    >
      {text}
    </Link>
  );
}
