import { useNavigate, useParams } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { useCan } from '../../app/viewer.tsx';
import { OneChatDocument, type OneChatQuery } from '../../graph/generated/graphql.ts';
import { LinkButton } from '../../ui/button.tsx';
import { Failed } from '../../ui/failed.tsx';
import { Empty, Page } from '../../ui/layout.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { DeleteButton, RenameButton, titleOf } from '../chats/chat-actions.tsx';
import { Messages } from './messages.tsx';
import styles from './page.module.css';
import { Picker } from './picker.tsx';

type OpenChat = NonNullable<OneChatQuery['chat']>;

/** One chat: its messages, and its choice of servers. */
export function ChatPage() {
  const { chatId } = useParams({ from: '/chats/$chatId' });
  const [{ data, error }, ask] = useQuery({ query: OneChatDocument, variables: { id: chatId } });
  if (data === undefined) {
    return (
      <Page title="Chat">
        {error === undefined ? (
          <ListSkeleton />
        ) : (
          <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
        )}
      </Page>
    );
  }
  if (data.chat === null) {
    return (
      <Page title="Chat">
        <Empty title="There is no such chat" actions={<LinkButton to="/chats">Chats</LinkButton>}>
          It was deleted, or it belongs to somebody else.
        </Empty>
      </Page>
    );
  }
  return <Chat key={chatId} chat={data.chat} />;
}

function Chat({ chat }: { chat: OpenChat }) {
  const navigate = useNavigate();
  const mayWrite = useCan('chat.write');
  return (
    <Page
      title={titleOf(chat)}
      lead={<a href="#servers">{toUse(chat)}</a>}
      actions={
        mayWrite && (
          <>
            <RenameButton chat={chat} />
            <DeleteButton chat={chat} onDeleted={() => void navigate({ to: '/chats' })} />
          </>
        )
      }
    >
      <div className={styles.columns}>
        <Messages chatId={chat.id} mayWrite={mayWrite} />
        <Picker chat={chat} mayWrite={mayWrite} />
      </div>
    </Page>
  );
}

/** What the chat uses, in one line. */
function toUse({ availableMcpServers }: OpenChat): string {
  const names = availableMcpServers.filter(({ source }) => source !== null).map(({ config }) => config.displayName);
  if (names.length === 0) return 'Uses no servers';
  const [first = '', second = ''] = names;
  if (names.length <= 2) return `Uses ${names.join(' and ')}`;
  return `Uses ${first}, ${second} and ${names.length - 2} more`;
}
