import { useEffect, useId, useState } from 'react';
import type { OneChatQuery } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Failed } from '../../ui/failed.tsx';
import { useFind } from '../../ui/find.tsx';
import { Card, Section } from '../../ui/layout.tsx';
import { ServerStatus, Status } from '../../ui/status.tsx';
import { AVAILABILITY_TEXT } from '../servers/availability.ts';
import { ConnectButton } from '../servers/connect-button.tsx';
import styles from './picker.module.css';
import { useLostServers } from './use-lost-servers.ts';
import { type Selection, useSelection } from './use-selection.ts';
import { WhyDialog } from './why-dialog.tsx';

type OpenChat = NonNullable<OneChatQuery['chat']>;
type Choice = OpenChat['availableMcpServers'][number];

/** The servers of a chat: those that an admin put into every chat, and those that the owner chooses. */
export function Picker({ chat, mayWrite }: { chat: OpenChat; mayWrite: boolean }) {
  const { availableMcpServers: servers } = chat;
  const { found, field } = useFind(servers, ({ config }) => config.displayName, 'Find a server');
  const selection = useSelection(chat);
  const { awaitConnection } = useChosenOnceConnected(servers, selection);
  const lost = useLostServers(chat);
  const [asked, setAsked] = useState<{ id: string; name: string }>();
  const [isWhyOpen, setIsWhyOpen] = useState(false);
  const askWhy = (id: string, name: string): void => {
    setAsked({ id, name });
    setIsWhyOpen(true);
  };

  return (
    <div id="servers">
      <Section title="Servers of this chat" lead="What you change is saved at once.">
        {selection.error !== undefined && <Failed error={selection.error} />}
        <div role="status" className={styles.lost}>
          {lost.map(({ id, name }) => (
            <Card key={id} className={styles.server}>
              <div className={styles.facts}>
                <p className={styles.name}>{name}</p>
                <Status tone="bad">Not available</Status>
                <p className={styles.reason}>An admin turned it off or deleted it. This chat cannot use it now.</p>
              </div>
              <Button look="plain" onClick={() => askWhy(id, name)} aria-label={`Why? ${name}`}>
                Why?
              </Button>
            </Card>
          ))}
        </div>
        {servers.length === 0 && lost.length === 0 && (
          <p className={styles.reason}>
            There are none yet. Each appears here as soon as an admin turns it on for you.
          </p>
        )}
        {field}
        {found.length > 0 && (
          <Card>
            <ul aria-busy={selection.isSaving}>
              {found.map((server) => (
                <ServerChoice
                  key={server.config.id}
                  server={server}
                  selection={selection}
                  mayWrite={mayWrite}
                  onConnect={() => awaitConnection(server.config.id)}
                  onWhy={() => askWhy(server.config.id, server.config.displayName)}
                />
              ))}
            </ul>
          </Card>
        )}
        <WhyDialog server={asked} chatId={chat.id} isOpen={isWhyOpen} onClose={() => setIsWhyOpen(false)} />
      </Section>
    </div>
  );
}

interface ServerChoiceProps {
  server: Choice;
  selection: Selection;
  mayWrite: boolean;
  onConnect: () => void;
  onWhy: () => void;
}

function ServerChoice({ server, selection, mayWrite, onConnect, onWhy }: ServerChoiceProps) {
  const id = useId();
  const { config, state, isLocked, availability } = server;
  const isChosen = isLocked || selection.ids.includes(config.id);
  const isFixed = isLocked || state === 'DISABLED' || !mayWrite;
  const isReady = isChosen && state === 'READY';
  const needsConnect = config.authType === 'OAUTH2' && (state === 'NEEDS_CONNECT' || state === 'RECONNECT');
  return (
    <li className={styles.server}>
      <div className={styles.choice}>
        {/* What cannot be changed keeps the focus, so that the keyboard and screen readers find it. */}
        <input
          id={id}
          type="checkbox"
          checked={isChosen}
          aria-disabled={isFixed || undefined}
          aria-describedby={`${id}-about`}
          onChange={(event) => {
            if (!isFixed) selection.choose([config.id], event.target.checked);
          }}
        />
        <div className={styles.facts}>
          <label htmlFor={id} className={styles.name}>
            {config.displayName}
          </label>
          <p id={`${id}-about`} className={styles.about}>
            <ServerStatus state={state} />
            <span>{isLocked ? 'In every chat, by an admin' : AVAILABILITY_TEXT[availability]}</span>
          </p>
        </div>
      </div>
      <div className={styles.actions}>
        {!isReady && (
          <Button look="plain" onClick={onWhy} aria-label={`Why? ${config.displayName}`}>
            Why?
          </Button>
        )}
        {needsConnect && <ConnectButton server={config} onStart={onConnect} />}
      </div>
    </li>
  );
}

/** Chooses a server once the user has connected it from here. */
function useChosenOnceConnected(servers: readonly Choice[], selection: Selection) {
  const [awaited, setAwaited] = useState<readonly string[]>([]);
  useEffect(() => {
    const connected = servers.filter(({ config, state }) => awaited.includes(config.id) && state === 'READY');
    if (connected.length === 0) return;
    const ids = connected.map(({ config }) => config.id);
    setAwaited((before) => before.filter((id) => !ids.includes(id)));
    const missing = connected.filter(({ config, isLocked }) => !isLocked && !selection.ids.includes(config.id));
    if (missing.length > 0)
      selection.choose(
        missing.map(({ config }) => config.id),
        true,
      );
  }, [awaited, servers, selection]);
  return { awaitConnection: (id: string) => setAwaited((before) => [...before.filter((each) => each !== id), id]) };
}
