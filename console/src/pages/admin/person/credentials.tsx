import { Link } from '@tanstack/react-router';
import { useMutation } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { hasEnded, RevokeButton, toScopeText } from '../../../ui/api-token.tsx';
import { Button } from '../../../ui/button.tsx';
import { Empty, Section } from '../../../ui/layout.tsx';
import { ServerStatus, Status } from '../../../ui/status.tsx';
import { Time } from '../../../ui/time.tsx';
import { EndPersonsSessionDocument, type PersonQuery, RevokeTokenDocument } from '../generated/graphql.ts';
import { Table, Under } from '../parts/table.tsx';
import { EndConnection } from './end-connection.tsx';

type User = NonNullable<PersonQuery['user']>;
type Connection = NonNullable<User['connections']>['nodes'][number];
type ApiToken = NonNullable<User['apiTokens']>[number];
type Session = NonNullable<User['sessions']>[number];

/** The servers to which a user has connected their account. */
export function Connections({ user, connections }: { user: User; connections: readonly Connection[] }) {
  return (
    <Section title="Connections" lead="The servers that they connected their own account to.">
      {connections.length === 0 ? (
        <Empty title="No connection">They have not connected an account to any server.</Empty>
      ) : (
        <Table label="All connections" head={['Server', 'State', 'Since', 'Granted', 'Actions']}>
          {connections.map((connection) => (
            <ConnectionRow key={connection.configId} user={user} connection={connection} />
          ))}
        </Table>
      )}
    </Section>
  );
}

function ConnectionRow({ user, connection }: { user: User; connection: Connection }) {
  const mayEnd = useCan('mcpServerConnection.removeAny');
  const { configId, config, state, stateReason, connectedAt, endedAt, scopes } = connection;
  const server = config?.displayName ?? configId;
  return (
    <tr>
      <th scope="row">
        <Link to="/admin/servers/$id" params={{ id: configId }}>
          {server}
        </Link>
      </th>
      <td>
        <ServerStatus state={state} />
        {stateReason !== null && <Under>{stateReason}</Under>}
      </td>
      <td>{connectedAt === null ? '–' : <Time value={connectedAt} />}</td>
      <td>{scopes.length === 0 ? '–' : scopes.join(', ')}</td>
      <td>{mayEnd && endedAt === null && <EndConnection user={user} configId={configId} server={server} />}</td>
    </tr>
  );
}

/** The API tokens of a user, the newest first. */
export function Tokens({ tokens }: { tokens: readonly ApiToken[] }) {
  const newestFirst = [...tokens].reverse();
  return (
    <Section title="Tokens" lead="With a token, a program acts as them.">
      {tokens.length === 0 ? (
        <Empty title="No token">No program acts as them.</Empty>
      ) : (
        <Table label="All tokens" head={['Name', 'For', 'Last used', 'Ends', 'Actions']}>
          {newestFirst.map((token) => (
            <TokenRow key={token.id} token={token} />
          ))}
        </Table>
      )}
    </Section>
  );
}

function TokenRow({ token }: { token: ApiToken }) {
  // Auditors may only revoke their own.
  const mayRevoke = useCan('user.update');
  const { name, createdAt, lastUsedAt, expiresAt, revokedAt } = token;
  return (
    <tr>
      <td>
        {name}
        <Under>
          Made <Time value={createdAt} />
        </Under>
      </td>
      <td>{toScopeText(token)}</td>
      <td>{lastUsedAt === null ? 'Never' : <Time value={lastUsedAt} />}</td>
      <td>
        {revokedAt !== null ? (
          <Status tone="quiet">Revoked</Status>
        ) : expiresAt === null ? (
          'Never'
        ) : (
          <Time value={expiresAt} />
        )}
      </td>
      <td>{mayRevoke && !hasEnded(token) && <RevokeButton token={token} mutation={RevokeTokenDocument} />}</td>
    </tr>
  );
}

/** The browsers in which a user is signed in. */
export function Sessions({ sessions }: { sessions: readonly Session[] }) {
  return (
    <Section title="Browsers" lead="Where they are signed in now.">
      {sessions.length === 0 ? (
        <Empty title="Not signed in">They are signed in with no browser.</Empty>
      ) : (
        <Table label="All browsers" head={['Signed in', 'Last seen', 'Ends', 'Actions']}>
          {sessions.map((session) => (
            <SessionRow key={session.id} session={session} />
          ))}
        </Table>
      )}
    </Section>
  );
}

function SessionRow({ session: { id, createdAt, lastSeenAt, expiresAt, isCurrent } }: { session: Session }) {
  // Auditors may only end their own.
  const mayEnd = useCan('user.update');
  const [{ fetching, error }, end] = useMutation(EndPersonsSessionDocument);
  return (
    <tr>
      <td>
        <Time value={createdAt} /> {isCurrent && <Status tone="good">This browser</Status>}
      </td>
      <td>
        <Time value={lastSeenAt} />
      </td>
      <td>
        <Time value={expiresAt} />
      </td>
      <td>
        {mayEnd && !isCurrent && (
          <Button isBusy={fetching} onClick={() => end({ id })}>
            Sign it out
          </Button>
        )}
        {error !== undefined && <Status tone="bad">{error.message}</Status>}
      </td>
    </tr>
  );
}
