import { LinkButton } from '../ui/button.tsx';
import { Empty } from '../ui/layout.tsx';
import { useCan } from './viewer.tsx';

/** What to do next while there are no servers, for those who may add one and for the others. */
export function NoServers({ forAdmins, forOthers }: { forAdmins: string; forOthers: string }) {
  const mayCreate = useCan('mcpServerConfig.create');
  return (
    <Empty
      title="No servers yet"
      actions={
        mayCreate && (
          <>
            <LinkButton to="/admin/servers/new" search={{}} look="primary">
              Add the first server
            </LinkButton>
            <LinkButton to="/admin/servers/new" search={{ by: 'examples' }}>
              Pick from the examples
            </LinkButton>
          </>
        )
      }
    >
      {mayCreate ? forAdmins : forOthers}
    </Empty>
  );
}
