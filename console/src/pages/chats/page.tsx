import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { useCan } from '../../app/viewer.tsx';
import { CreateChatDocument, MyChatsDocument, type MyChatsQuery } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Failed } from '../../ui/failed.tsx';
import { Card, Empty, Page } from '../../ui/layout.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { useStillHere } from '../../ui/still-here.ts';
import { Time } from '../../ui/time.tsx';
import { DeleteButton, RenameButton, titleOf } from './chat-actions.tsx';
import styles from './page.module.css';

/** The viewer's chats, newest first. */
export function ChatsPage() {
  const navigate = useNavigate();
  const begin = useStillHere();
  const [{ fetching, error }, create] = useMutation(CreateChatDocument);
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  const mayCreate = useCan('chat.create');

  const start = async (): Promise<void> => {
    const isStillHere = begin();
    const { data } = await create({ input: {} });
    if (data === undefined || !isStillHere()) return;
    await navigate({ to: '/chats/$chatId', params: { chatId: data.createChat.chat.id } });
  };
  const newChat = (
    <Button look="primary" isBusy={fetching} onClick={start}>
      New chat
    </Button>
  );

  return (
    <Page
      title="Chats"
      lead="Each chat has its own choice of servers. Programs of this gateway work with them for you."
      actions={mayCreate ? newChat : undefined}
    >
      {error !== undefined && <Failed error={error} />}
      {cursors.map((after, index) => (
        <ChatList
          key={after}
          after={after}
          onMore={index === cursors.length - 1 ? (cursor) => setCursors([...cursors, cursor]) : undefined}
        />
      ))}
    </Page>
  );
}

interface ChatListProps {
  after: string | null;
  /** Shows the next chats. Absent: they are shown already. */
  onMore: ((cursor: string) => void) | undefined;
}

function ChatList({ after, onMore }: ChatListProps) {
  const [{ data, error }, ask] = useQuery({ query: MyChatsDocument, variables: { after } });
  if (data === undefined) {
    return error === undefined ? (
      <ListSkeleton />
    ) : (
      <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
    );
  }
  const { nodes, pageInfo } = data.chats;
  const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  if (nodes.length === 0 && after === null) {
    return <Empty title="No chats yet">Start one, and choose the servers whose tools it may use.</Empty>;
  }
  return (
    <>
      {nodes.length > 0 && (
        <Card>
          <ul>
            {nodes.map((chat) => (
              <ChatRow key={chat.id} chat={chat} />
            ))}
          </ul>
        </Card>
      )}
      {onMore !== undefined && next !== null && (
        <div>
          <Button onClick={() => onMore(next)}>Show more chats</Button>
        </div>
      )}
    </>
  );
}

function ChatRow({ chat }: { chat: MyChatsQuery['chats']['nodes'][number] }) {
  const mayWrite = useCan('chat.write');
  return (
    <li className={styles.row}>
      <div className={styles.facts}>
        <Link to="/chats/$chatId" params={{ chatId: chat.id }} className={styles.title}>
          {titleOf(chat)}
        </Link>
        <span className={styles.time}>
          Changed <Time value={chat.updatedAt} />
        </span>
      </div>
      {mayWrite && (
        <div className={styles.actions}>
          <RenameButton chat={chat} />
          <DeleteButton chat={chat} onDeleted={() => document.querySelector('main')?.focus()} />
        </div>
      )}
    </li>
  );
}
