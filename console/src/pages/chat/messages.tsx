import { type KeyboardEvent, useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { ChatMessagesDocument, SendMessageDocument } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Failed } from '../../ui/failed.tsx';
import { Form, TextArea } from '../../ui/form.tsx';
import { splitIssues } from '../../ui/form-issues.ts';
import { Card, Section } from '../../ui/layout.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import styles from './page.module.css';

/** The messages of a chat, oldest first, and a field to write one. */
export function Messages({ chatId, mayWrite }: { chatId: string; mayWrite: boolean }) {
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  return (
    <Section title="Messages">
      <div className={styles.messages}>
        {cursors.map((after, index) => (
          <MessageList
            key={after}
            chatId={chatId}
            after={after}
            onMore={index === cursors.length - 1 ? (cursor) => setCursors([...cursors, cursor]) : undefined}
          />
        ))}
        {mayWrite && <MessageForm chatId={chatId} />}
      </div>
    </Section>
  );
}

interface MessageListProps {
  chatId: string;
  after: string | null;
  /** Shows the next messages. Absent: they are shown already. */
  onMore: ((cursor: string) => void) | undefined;
}

function MessageList({ chatId, after, onMore }: MessageListProps) {
  const [{ data, error }, ask] = useQuery({ query: ChatMessagesDocument, variables: { id: chatId, after } });
  if (data === undefined) {
    return error === undefined ? (
      <ListSkeleton rows={1} />
    ) : (
      <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
    );
  }
  const messages = data.chat?.messages;
  if (messages === undefined) return undefined;
  const { nodes, pageInfo } = messages;
  const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  if (nodes.length === 0) return after === null ? <p className={styles.quiet}>No messages yet.</p> : undefined;
  return (
    <>
      <Card>
        <ol>
          {nodes.map(({ id, content, createdAt }) => (
            <li key={id} className={styles.message}>
              <p className={styles.content}>{content}</p>
              <span className={styles.quiet}>
                <Time value={createdAt} />
              </span>
            </li>
          ))}
        </ol>
      </Card>
      {onMore !== undefined && next !== null && (
        <div>
          <Button onClick={() => onMore(next)}>Show newer messages</Button>
        </div>
      )}
    </>
  );
}

function MessageForm({ chatId }: { chatId: string }) {
  const [content, setContent] = useState('');
  const [{ fetching, error }, send] = useMutation(SendMessageDocument);
  const { problemOf, rest } = splitIssues(error, ['content']);

  const submit = async (): Promise<void> => {
    if (fetching) return;
    const { data } = await send({ input: { chatId, content } });
    // What was typed in the meantime stays.
    if (data !== undefined) setContent((now) => (now === content ? '' : now));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    // While a text is composed, as in Japanese, Enter ends the composition.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void submit();
  };

  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {rest !== undefined && <Failed error={rest} />}
      <TextArea
        label="Message"
        hint="Enter sends it, Shift and Enter begin a new line. The gateway keeps it for the programs that work with this chat, and does not answer by itself."
        problem={problemOf('content')}
        value={content}
        onChange={(event) => setContent(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div>
        <Button look="primary" type="submit" isBusy={fetching}>
          Send
        </Button>
      </div>
    </Form>
  );
}
