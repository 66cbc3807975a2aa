import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useQuery } from 'urql';
import { MyServerDocument } from '../../graph/generated/graphql.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Failed } from '../../ui/failed.tsx';
import { Empty, Page } from '../../ui/layout.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { ServerStatus } from '../../ui/status.tsx';
import { DoorDialog } from '../servers/door-dialog.tsx';
import { ConnectionButton } from '../servers/page.tsx';
import { ToolList } from './tool-list.tsx';
import { Why } from './why.tsx';

/** One server: whether the viewer can use it and why, and its tools. */
export function ServerPage() {
  const { slug } = useParams({ from: '/servers/$slug' });
  const [{ data, error }, ask] = useQuery({ query: MyServerDocument, variables: { slug } });
  const [isDoorOpen, setIsDoorOpen] = useState(false);

  if (data === undefined) {
    return (
      <Page title="Server">
        {error === undefined ? (
          <ListSkeleton />
        ) : (
          <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
        )}
      </Page>
    );
  }
  const config = data.mcpServerConfig;
  if (config === null) {
    return (
      <Page title="Server">
        <Empty title="You cannot see this server" actions={<LinkButton to="/">My servers</LinkButton>}>
          It was turned off or deleted, or there never was one with this name. An admin of this gateway can tell.
        </Empty>
      </Page>
    );
  }
  return (
    <Page
      title={config.displayName}
      lead={config.description === '' ? undefined : config.description}
      actions={
        <>
          {config.viewerState === 'READY' && (
            <Button onClick={() => setIsDoorOpen(true)}>Use in an editor or agent</Button>
          )}
          <ConnectionButton server={config} />
        </>
      }
    >
      <p>
        <ServerStatus state={config.viewerState} />
      </p>
      <Why configId={config.id} />
      <ToolList tools={config.tools.nodes} total={config.tools.totalCount} />
      <DoorDialog isOpen={isDoorOpen} onClose={() => setIsDoorOpen(false)} server={config} />
    </Page>
  );
}
