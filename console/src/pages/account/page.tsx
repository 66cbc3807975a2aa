import { useQuery } from 'urql';
import { MyAccountDocument, type Role } from '../../graph/generated/graphql.ts';
import { Failed } from '../../ui/failed.tsx';
import { Page } from '../../ui/layout.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { SessionList } from './session-list.tsx';
import { SignOut } from './sign-out.tsx';
import { TokenList } from './token-list.tsx';

const ROLES: Readonly<Record<Role, string>> = {
  ADMIN: 'You are an admin: you manage servers, people and keys.',
  AUDITOR: 'You are an auditor: you see everything but secrets, and change nothing.',
  SERVICE: 'This is the account of a program that acts for users.',
  MEMBER: 'You are a member: you use servers in your own chats.',
};

/** The viewer's own account: tokens and sessions. */
export function AccountPage() {
  const [{ data, error }, ask] = useQuery({ query: MyAccountDocument });
  const viewer = data?.viewer;
  return (
    <Page
      title="My account"
      lead={viewer === undefined ? undefined : `${viewer.email}. ${ROLES[viewer.role]}`}
      actions={<SignOut />}
    >
      {viewer === undefined && error === undefined && <ListSkeleton />}
      {viewer === undefined && error !== undefined && (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      )}
      {viewer !== undefined && (
        <>
          <TokenList tokens={viewer.apiTokens ?? []} />
          <SessionList sessions={viewer.sessions ?? []} />
        </>
      )}
    </Page>
  );
}
