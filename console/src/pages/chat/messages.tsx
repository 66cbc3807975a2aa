import { type KeyboardEvent, useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { ChatMessagesDocument, SendMessageDocument } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Failed } from '../../ui/failed.tsx';
import { Form, TextArea } from '../../ui/form.tsx';
import { splitIssues } from '../../ui/form-issues.ts';
import { useHold } from '../../ui/hold.ts';
import { Card, Section } from '../../ui/layout.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import styles from './page.module.css';
import { useEndInView } from './use-end-in-view.ts';

/** The messages of a chat, the newest in view, and a field to write one. */
export function Messages({ chatId, mayWrite }: { chatId: string; mayWrite: boolean }) {
  const [pageCount, setPageCount] = useState(1);
  const box = useEndInView();
  return (
    <Section title="Messages">
      <div className={styles.messages}>
        {/* Who has no mouse scrolls it with the keyboard. */}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled. */}
        <div ref={box} className={styles.log} role="log" aria-label="Messages so far" tabIndex={0}>
          <div className={styles.pages}>
            <MessagePages
              chatId={chatId}
              before={null}
              pageCount={pageCount}
              onEarlier={() => setPageCount(pageCount + 1)}
            />
          </div>
        </div>
        {mayWrite && <MessageForm chatId={chatId} />}
      </div>
    </Section>
  );
}

interface MessagePagesProps {
  chatId: string;
  /** Where the page ends; null: at the newest message. */
  before: string | null;
  /** So many pages are shown, this one included. */
  pageCount: number;
  onEarlier: () => void;
}

/** A page of messages, and the earlier ones above it. Each page begins where the one before it ends, also as they change. */
function MessagePages({ chatId, before, pageCount, onEarlier }: MessagePagesProps) {
  const [{ data, error }, ask] = useQuery({ query: ChatMessagesDocument, variables: { id: chatId, before } });
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
  if (nodes.length === 0) return before === null ? <p className={styles.quiet}>No messages yet.</p> : undefined;
  return (
    <>
      {pageInfo.hasPreviousPage &&
        (pageCount > 1 ? (
          <MessagePages chatId={chatId} before={pageInfo.startCursor} pageCount={pageCount - 1} onEarlier={onEarlier} />
        ) : (
          <div>
            <Button onClick={onEarlier}>Show earlier messages</Button>
          </div>
        ))}
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
    </>
  );
}

function MessageForm({ chatId }: { chatId: string }) {
  const [content, setContent] = useState('');
  const [{ fetching, error }, send] = useMutation(SendMessageDocument);
  const { problemOf, rest } = splitIssues(error, ['content']);
  useHold(() => content !== '');

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
