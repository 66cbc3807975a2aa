import { useEffect, useState } from 'react';
import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { type ApiTokenScope, CreateMyTokenDocument } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { CopyText } from '../../ui/copy.tsx';
import { Dialog, DialogActions } from '../../ui/dialog.tsx';
import { Failed } from '../../ui/failed.tsx';
import { Form, SelectField, TextField } from '../../ui/form.tsx';
import { splitIssues } from '../../ui/form-issues.ts';
import { EXPIRY_OPTIONS, toExpiresAt } from '../servers/expiry.ts';

const SCOPES: Readonly<Record<ApiTokenScope, string>> = {
  MCP: 'Tools only: list and call the tools of my servers',
  GRAPH: 'The API: everything that I may do',
};

/** Makes a token, and shows it once. */
export function TokenDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const [isKept, setIsKept] = useState(false);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      isKept={isKept}
      title="New token"
      text="A program that has it acts as you."
    >
      {isOpen && <TokenForm onClose={onClose} onKeep={setIsKept} />}
    </Dialog>
  );
}

interface TokenFormProps {
  onClose: () => void;
  /** Whether the token is on its way or shown: it would be lost with the dialog. */
  onKeep: (isKept: boolean) => void;
}

function TokenForm({ onClose, onKeep }: TokenFormProps) {
  const [{ fetching, error }, create] = useMutation(CreateMyTokenDocument);
  const [token, setToken] = useState<string>();
  const isKept = fetching || token !== undefined;
  useEffect(() => {
    onKeep(isKept);
    return () => onKeep(false);
  }, [onKeep, isKept]);
  const { register, handleSubmit } = useForm<{ name: string; scope: ApiTokenScope; days: string }>({
    defaultValues: { name: '', scope: 'MCP', days: '90' },
  });
  const { problemOf, rest } = splitIssues(error, ['name', 'scopes', 'expiresAt']);

  const submit = handleSubmit(async ({ name, scope, days }) => {
    const { data } = await create({ input: { name, scopes: [scope], expiresAt: toExpiresAt(days) } });
    setToken(data?.createApiToken.token);
  });

  if (token !== undefined) {
    return (
      <>
        <p>Copy it now: it is shown only this once.</p>
        <CopyText text={token} label="Token" />
        <DialogActions>
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </DialogActions>
      </>
    );
  }
  return (
    <Form onSubmit={submit}>
      {rest !== undefined && <Failed error={rest} />}
      <TextField
        label="Name"
        hint="Where it will be used, so that you know it again."
        problem={problemOf('name')}
        autoComplete="off"
        {...register('name')}
      />
      <SelectField label="It is for" problem={problemOf('scopes')} {...register('scope')}>
        {Object.entries(SCOPES).map(([scope, text]) => (
          <option key={scope} value={scope}>
            {text}
          </option>
        ))}
      </SelectField>
      <SelectField label="It works for" problem={problemOf('expiresAt')} {...register('days')}>
        {EXPIRY_OPTIONS.map(([days, text]) => (
          <option key={days} value={days}>
            {text}
          </option>
        ))}
      </SelectField>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" isBusy={fetching}>
          Create the token
        </Button>
      </DialogActions>
    </Form>
  );
}
