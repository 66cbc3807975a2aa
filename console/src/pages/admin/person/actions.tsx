import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { useCan } from '../../../app/viewer.tsx';
import { Button } from '../../../ui/button.tsx';
import { CopyText } from '../../../ui/copy.tsx';
import { Confirm, Dialog, DialogActions } from '../../../ui/dialog.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Form, SelectField } from '../../../ui/form.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { useStillHere } from '../../../ui/still-here.ts';
import { Time } from '../../../ui/time.tsx';
import {
  ChangePersonDocument,
  DeletePersonDocument,
  MakeSignInLinkDocument,
  type PersonQuery,
  type Role,
} from '../generated/graphql.ts';
import { ROLE_MEANING, ROLE_TEXT } from '../people/words.ts';

type User = NonNullable<PersonQuery['user']>;

/** What can be done with a user, by those who may. The gateway keeps the last admin. */
export function PersonActions({ user }: { user: User }) {
  const mayChange = useCan('user.update');
  const mayDelete = useCan('user.delete');
  const mayLink = useCan('signInLink.create');
  return (
    <>
      {mayLink && user.status === 'ACTIVE' && <SignInLink user={user} />}
      {mayChange && <ChangeRole user={user} />}
      {mayChange && <Suspend user={user} />}
      {mayDelete && <Delete user={user} />}
    </>
  );
}

function SignInLink({ user: { id, email } }: { user: User }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ data, error, fetching }, make] = useMutation(MakeSignInLinkDocument);
  const link = isOpen ? data?.createSignInLink : undefined;
  return (
    <>
      <Button
        isBusy={fetching}
        onClick={async () => {
          setIsOpen(true);
          await make({ userId: id });
        }}
      >
        Make a sign-in link
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title="A link to sign in once"
        text={`Whoever opens it is signed in as ${email}. Send it only to them.`}
      >
        {error !== undefined && <Failed error={error} />}
        {link !== undefined && !fetching && (
          <>
            <CopyText text={link.url} label="Link" />
            <p>
              It works once, and ends <Time value={link.expiresAt} />.
            </p>
          </>
        )}
        <DialogActions>
          <Button look="primary" onClick={() => setIsOpen(false)}>
            Done
          </Button>
        </DialogActions>
      </Dialog>
    </>
  );
}

function ChangeRole({ user: { id, email, role } }: { user: User }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, change] = useMutation(ChangePersonDocument);
  const notify = useNotify();
  const { register, handleSubmit } = useForm<{ role: Role }>({ values: { role } });
  const submit = handleSubmit(async (values) => {
    const { data } = await change({ input: { id, ...values } });
    if (data === undefined) return;
    setIsOpen(false);
    notify(`${email} is now ${ROLE_TEXT[values.role].toLowerCase()}`);
  });
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>Change the role</Button>
      <Dialog
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`The role of ${email}`}
        text="It takes effect at once, also for what they have open."
      >
        <Form onSubmit={submit}>
          {error !== undefined && <Failed error={error} />}
          <SelectField label="Role" {...register('role')}>
            {(Object.keys(ROLE_TEXT) as Role[]).map((each) => (
              <option key={each} value={each}>
                {`${ROLE_TEXT[each]}: ${ROLE_MEANING[each]}`}
              </option>
            ))}
          </SelectField>
          <DialogActions>
            <Button onClick={() => setIsOpen(false)}>Cancel</Button>
            <Button look="primary" type="submit" isBusy={fetching}>
              Change
            </Button>
          </DialogActions>
        </Form>
      </Dialog>
    </>
  );
}

function Suspend({ user: { id, email, status } }: { user: User }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, change] = useMutation(ChangePersonDocument);
  const notify = useNotify();
  const isActive = status === 'ACTIVE';
  const confirm = async (): Promise<void> => {
    const { data } = await change({ input: { id, status: isActive ? 'SUSPENDED' : 'ACTIVE' } });
    if (data === undefined) return;
    setIsOpen(false);
    notify(isActive ? `${email} is suspended` : `${email} can sign in again`);
  };
  return (
    <>
      <Button isBusy={fetching && !isOpen} onClick={() => (isActive ? setIsOpen(true) : confirm())}>
        {isActive ? 'Suspend' : 'Let them in again'}
      </Button>
      {!isActive && error !== undefined && <Failed error={error} />}
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Suspend ${email}?`}
        text="Their tokens and browsers stop to work at once. Nothing is deleted, and you can let them in again."
        action="Suspend"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}

function Delete({ user: { id, email } }: { user: User }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, remove] = useMutation(DeletePersonDocument);
  const navigate = useNavigate();
  const begin = useStillHere();
  const notify = useNotify();
  const confirm = async (): Promise<void> => {
    const isStillHere = begin();
    const { data } = await remove({ id });
    if (data === undefined) return;
    notify(`${email} is deleted`);
    if (isStillHere()) await navigate({ to: '/admin/people', search: {} });
  };
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>Delete</Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Delete ${email}?`}
        text="Their chats, tokens, browsers and connections are deleted with them. It cannot be taken back."
        action="Delete"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}
