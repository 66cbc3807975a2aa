import { useState } from 'react';
import { useMutation } from 'urql';
import { EndMySessionDocument, type MyAccountQuery } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Card, Section } from '../../ui/layout.tsx';
import { Status } from '../../ui/status.tsx';
import { Time } from '../../ui/time.tsx';
import styles from './account.module.css';

type Session = NonNullable<MyAccountQuery['viewer']['sessions']>[number];

/** The browsers in which the viewer is signed in. */
export function SessionList({ sessions }: { sessions: readonly Session[] }) {
  return (
    <Section title="Browsers" lead="Where you are signed in now. End what you do not know.">
      <Card>
        <ul>
          {sessions.map((session) => (
            <SessionRow key={session.id} session={session} />
          ))}
        </ul>
      </Card>
    </Section>
  );
}

function SessionRow({ session: { id, createdAt, lastSeenAt, expiresAt, isCurrent } }: { session: Session }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, end] = useMutation(EndMySessionDocument);
  const confirm = async (): Promise<void> => {
    const { data } = await end({ id });
    if (data !== undefined) setIsOpen(false);
  };
  return (
    <li className={styles.row}>
      <div className={styles.facts}>
        <h3 className={styles.name}>
          Signed in <Time value={createdAt} /> {isCurrent && <Status tone="good">This browser</Status>}
        </h3>
        <p className={styles.dates}>
          <span>
            Last seen <Time value={lastSeenAt} />
          </span>
          <span>
            Ends <Time value={expiresAt} />
          </span>
        </p>
      </div>
      {!isCurrent && <Button onClick={() => setIsOpen(true)}>Sign it out</Button>}
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title="Sign that browser out?"
        text="It has to sign in again, at once."
        action="Sign it out"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </li>
  );
}
