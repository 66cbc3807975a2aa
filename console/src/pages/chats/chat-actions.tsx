import { useState } from 'react';
import { useMutation } from 'urql';
import { DeleteChatDocument, RenameChatDocument } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm, Dialog, DialogActions } from '../../ui/dialog.tsx';
import { Failed } from '../../ui/failed.tsx';
import { Form, TextField } from '../../ui/form.tsx';
import { splitIssues } from '../../ui/form-issues.ts';
import { useStillHere } from '../../ui/still-here.ts';

interface Chat {
  id: string;
  title: string;
}

/** What a chat is called. Titles may be empty. */
export function titleOf({ title }: { title: string }): string {
  return title === '' ? 'Untitled chat' : title;
}

/** Changes the title of a chat. */
export function RenameButton({ chat }: { chat: Chat }) {
  const [isOpen, setIsOpen] = useState(false);
  const close = () => setIsOpen(false);
  return (
    <>
      <Button onClick={() => setIsOpen(true)} aria-label={`Rename: ${titleOf(chat)}`}>
        Rename
      </Button>
      <Dialog isOpen={isOpen} onClose={close} title="Rename the chat">
        {isOpen && <RenameForm chat={chat} onClose={close} />}
      </Dialog>
    </>
  );
}

function RenameForm({ chat, onClose }: { chat: Chat; onClose: () => void }) {
  const [title, setTitle] = useState(chat.title);
  const [{ fetching, error }, rename] = useMutation(RenameChatDocument);
  const { problemOf, rest } = splitIssues(error, ['title']);
  const save = async (): Promise<void> => {
    const { data } = await rename({ id: chat.id, title });
    if (data !== undefined) onClose();
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        if (!fetching) void save();
      }}
    >
      {rest !== undefined && <Failed error={rest} />}
      <TextField
        label="Title"
        problem={problemOf('title')}
        autoComplete="off"
        value={title}
        onChange={(event) => setTitle(event.target.value)}
      />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" isBusy={fetching}>
          Save
        </Button>
      </DialogActions>
    </Form>
  );
}

/** Deletes a chat. @param onDeleted what is shown instead, and where the focus goes, unless the user went elsewhere meanwhile */
export function DeleteButton({ chat, onDeleted }: { chat: Chat; onDeleted: () => void }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, remove] = useMutation(DeleteChatDocument);
  const begin = useStillHere();
  const confirm = async (): Promise<void> => {
    const isStillHere = begin();
    const { data } = await remove({ id: chat.id });
    if (data === undefined) return;
    setIsOpen(false);
    if (isStillHere()) onDeleted();
  };
  return (
    <>
      <Button onClick={() => setIsOpen(true)} aria-label={`Delete: ${titleOf(chat)}`}>
        Delete
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Delete ${titleOf(chat)}?`}
        text="Its messages are deleted, too. It cannot be undone."
        action="Delete"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}
