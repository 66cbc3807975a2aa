import { Link, useParams } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { NotFound } from '../../../app/not-found.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Page } from '../../../ui/layout.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { Status } from '../../../ui/status.tsx';
import { Time } from '../../../ui/time.tsx';
import { PersonDocument } from '../generated/graphql.ts';
import { AdminOnly } from '../parts/admin-page.tsx';
import { ROLE_MEANING, ROLE_TEXT, STATUS_TEXT } from '../people/words.ts';
import { PersonActions } from './actions.tsx';
import { Connections, Sessions, Tokens } from './credentials.tsx';
import { WhatTheySee } from './what-they-see.tsx';

/** One user: what they may do, what they are signed in with, and what they see. */
export function PersonPage() {
  return (
    <AdminOnly action="user.list">
      <Person />
    </AdminOnly>
  );
}

function Person() {
  const { id } = useParams({ from: '/admin/people/$id' });
  const [{ data, error, fetching }, ask] = useQuery({
    query: PersonDocument,
    variables: { id },
    // Their sessions and connections change without a word to this page.
    requestPolicy: 'cache-and-network',
  });
  const user = data?.user;
  if (user === null && !fetching) return <NotFound />;
  if (user == null) {
    return (
      <Page title="Person">
        {error === undefined ? (
          <ListSkeleton />
        ) : (
          <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
        )}
      </Page>
    );
  }
  const { email, role, status, createdAt, apiTokens, sessions, connections } = user;
  return (
    <Page
      title={email}
      lead={
        <>
          {ROLE_TEXT[role]}: {ROLE_MEANING[role]} Here since <Time value={createdAt} />.{' '}
          <Status tone={status === 'ACTIVE' ? 'good' : 'bad'}>{STATUS_TEXT[status]}</Status>{' '}
          <Link to="/admin/audit" search={{ actor: id }}>
            What they did
          </Link>
        </>
      }
      actions={<PersonActions user={user} />}
    >
      <Connections user={user} connections={connections?.nodes ?? []} />
      <Tokens tokens={apiTokens ?? []} />
      <Sessions sessions={sessions ?? []} />
      <WhatTheySee userId={id} />
    </Page>
  );
}
