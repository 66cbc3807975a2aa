import { type FormEvent, useEffect, useState } from 'react';
import { Provider, useMutation, useQuery } from 'urql';
import { openClient, signIn, signOut } from './gateway';
import { graphql } from './generated';
import { Servers } from './servers';

const WhoAmI = graphql(`
  query WhoAmI {
    viewer {
      email
      role
    }
  }
`);

const StartChat = graphql(`
  mutation StartChat($input: CreateChatInput!) {
    createChat(input: $input) {
      chat {
        id
        title
        mcpServers {
          config {
            id
            displayName
          }
        }
      }
    }
  }
`);

/** A new session gets a new client, so that nothing of the last user is left in it. */
export function App() {
  const [session, setSession] = useState(() => openClient());
  const restart = () => {
    session.close();
    setSession(openClient());
  };
  return (
    <Provider value={session.client}>
      <Page onSessionChange={restart} />
    </Provider>
  );
}

function Page({ onSessionChange }: { onSessionChange: () => void }) {
  const [{ data, error, fetching }, ask] = useQuery({ query: WhoAmI });
  useEffect(() => ask(), [ask]);
  if (fetching) return <p>Loading …</p>;
  const isStranger = error?.graphQLErrors.some(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED');
  if (isStranger) return <SignIn onDone={onSessionChange} />;
  if (data === undefined) return <p role="alert">{error?.message}</p>;
  return (
    <>
      <p>
        Signed in as {data.viewer.email}.{' '}
        <button type="button" onClick={() => signOut().then(onSessionChange)}>
          Sign out
        </button>
      </p>
      <Servers />
      <NewChat />
    </>
  );
}

function SignIn({ onDone }: { onDone: () => void }) {
  const [problem, setProblem] = useState('');
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get('token'));
    await signIn(token).then(onDone, (error: Error) => setProblem(error.message));
  };
  return (
    <form onSubmit={submit}>
      <label>
        API token <input name="token" type="password" required autoComplete="off" />
      </label>
      <button type="submit">Sign in</button>
      <p role="alert">{problem}</p>
    </form>
  );
}

function NewChat() {
  const [{ data, error }, start] = useMutation(StartChat);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void start({ input: { title: String(new FormData(event.currentTarget).get('title')) } });
  };
  const chat = data?.createChat.chat;
  const names = chat?.mcpServers.map(({ config }) => config.displayName).join(', ');
  return (
    <form onSubmit={submit}>
      <label>
        Title of a new chat <input name="title" />
      </label>
      <button type="submit">Start</button>
      <p role="status">{error?.message ?? (chat && `“${chat.title}” uses: ${names || 'no servers'}`)}</p>
    </form>
  );
}
