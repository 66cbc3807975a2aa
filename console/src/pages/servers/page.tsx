import { useState } from 'react';
import { useQuery } from 'urql';
import { NoServers } from '../../app/no-servers.tsx';
import { MyServersDocument, type MyServersQuery } from '../../graph/generated/graphql.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Failed } from '../../ui/failed.tsx';
import { useFind } from '../../ui/find.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { ServerIcon } from '../../ui/server-icon.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { ServerStatus } from '../../ui/status.tsx';
import { AVAILABILITY_TEXT } from './availability.ts';
import { ConnectButton } from './connect-button.tsx';
import { DisconnectButton } from './disconnect-button.tsx';
import { DoorDialog } from './door-dialog.tsx';
import styles from './page.module.css';

type MyServer = MyServersQuery['availableMcpServers'][number];

/** The servers that the viewer may use, and what each needs of them. */
export function ServersPage() {
  const [{ data, error, fetching }, ask] = useQuery({ query: MyServersDocument });
  const [isDoorOpen, setIsDoorOpen] = useState(false);
  const servers = data?.availableMcpServers;
  const { found, field } = useFind(servers ?? [], toText, 'Find a server');
  const waiting = servers?.filter(({ state }) => state === 'NEEDS_CONNECT' || state === 'RECONNECT').length ?? 0;
  return (
    <Page
      title="My servers"
      lead={
        waiting > 0
          ? `${waiting === 1 ? 'One server needs' : `${waiting} servers need`} your account before its tools work for you.`
          : 'The tool servers that you can use in chats, and from your editor or agent.'
      }
      actions={
        servers !== undefined && servers.length > 0 ? (
          <Button onClick={() => setIsDoorOpen(true)}>Use in an editor or agent</Button>
        ) : undefined
      }
    >
      {error !== undefined && servers === undefined && (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      )}
      {servers === undefined && fetching && <ListSkeleton />}
      {servers?.length === 0 && (
        <NoServers
          forAdmins="Add an MCP server by its URL: you and the members see it here as soon as it is turned on."
          forOthers="An admin of this gateway defines the servers. Each appears here by itself as soon as it is turned on for you."
        />
      )}
      {servers !== undefined && servers.length > 0 && (
        <>
          {field}
          <ul className={styles.list}>
            {found.map((server) => (
              <ServerRow key={server.config.id} server={server} />
            ))}
          </ul>
        </>
      )}
      <DoorDialog isOpen={isDoorOpen} onClose={() => setIsDoorOpen(false)} />
    </Page>
  );
}

const toText = ({ config }: MyServer): string => `${config.displayName} ${config.description}`;

function ServerRow({ server: { config, state, availability } }: { server: MyServer }) {
  const { displayName, iconHref, description, slug, viewerStateReason } = config;
  const label = state === 'READY' ? 'Tools and details' : 'Why?';
  const isBroken = state !== 'READY' && viewerStateReason !== null;
  return (
    <li>
      <Card className={styles.row}>
        <ServerIcon name={displayName} href={iconHref} />
        <div className={styles.facts}>
          <h2 className={styles.name}>{displayName}</h2>
          <p className={styles.states}>
            <ServerStatus state={state} />
            <span className={styles.availability}>{AVAILABILITY_TEXT[availability]}</span>
          </p>
          {description !== '' && <p className={styles.description}>{description}</p>}
          {isBroken && <p className={styles.description}>{viewerStateReason}</p>}
        </div>
        <div className={styles.actions}>
          <LinkButton to="/servers/$slug" params={{ slug }} look="plain" aria-label={`${label}: ${displayName}`}>
            {label}
          </LinkButton>
          <ConnectionButton server={config} />
        </div>
      </Card>
    </li>
  );
}

/** Connects or disconnects, if the server has connections. */
export function ConnectionButton({ server }: { server: MyServer['config'] }) {
  if (server.authType !== 'OAUTH2') return undefined;
  if (server.viewerState === 'NEEDS_CONNECT' || server.viewerState === 'RECONNECT') {
    return <ConnectButton server={server} />;
  }
  return server.authConnected ? <DisconnectButton server={server} /> : undefined;
}
