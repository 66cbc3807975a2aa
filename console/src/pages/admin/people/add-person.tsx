import { useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { Dialog, DialogActions } from '../../../ui/dialog.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Form, SelectField, TextField } from '../../../ui/form.tsx';
import { splitIssues } from '../../../ui/form-issues.ts';
import { useStillHere } from '../../../ui/still-here.ts';
import { AddPersonDocument, type Role } from '../generated/graphql.ts';
import { ROLE_MEANING, ROLE_TEXT } from './words.ts';

/** Adds a user, and goes to their page. */
export function AddPersonDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title="Add a person"
      text="They sign in with a link that you make on their page, or at the provider if you have one."
    >
      {isOpen && <AddPersonForm onClose={onClose} />}
    </Dialog>
  );
}

function AddPersonForm({ onClose }: { onClose: () => void }) {
  const [{ fetching, error }, create] = useMutation(AddPersonDocument);
  const navigate = useNavigate();
  const begin = useStillHere();
  const { register, handleSubmit } = useForm<{ email: string; role: Role }>({
    defaultValues: { email: '', role: 'MEMBER' },
  });
  const { problemOf, rest } = splitIssues(error, ['email', 'role']);
  const submit = handleSubmit(async (input) => {
    const isStillHere = begin();
    const { data } = await create({ input });
    const id = data?.createUser.user.id;
    if (id !== undefined && isStillHere()) await navigate({ to: '/admin/people/$id', params: { id } });
  });
  return (
    <Form onSubmit={submit}>
      {rest !== undefined && <Failed error={rest} />}
      <TextField label="Email address" problem={problemOf('email')} autoComplete="off" {...register('email')} />
      <SelectField label="Role" problem={problemOf('role')} {...register('role')}>
        {(Object.keys(ROLE_TEXT) as Role[]).map((role) => (
          <option key={role} value={role}>
            {`${ROLE_TEXT[role]}: ${ROLE_MEANING[role]}`}
          </option>
        ))}
      </SelectField>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" isBusy={fetching}>
          Add
        </Button>
      </DialogActions>
    </Form>
  );
}
