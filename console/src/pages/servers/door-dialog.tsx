import { useEffect, useState } from 'react';
import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { CreateDoorTokenDocument } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { CopyText } from '../../ui/copy.tsx';
import { Dialog, DialogActions } from '../../ui/dialog.tsx';
import { Failed } from '../../ui/failed.tsx';
import { Form, SelectField, TextField } from '../../ui/form.tsx';
import { splitIssues } from '../../ui/form-issues.ts';
import { EXPIRY_OPTIONS, toExpiresAt } from './expiry.ts';

interface DoorDialogProps {
  isOpen: boolean;
  onClose: () => void;
  /** For one server only. Absent: all servers that apply by default. */
  server?: { id: string; slug: string; displayName: string };
}

/** Makes the configuration with which an editor or agent uses the viewer's tools, and the limited token in it. */
export function DoorDialog({ isOpen, onClose, server }: DoorDialogProps) {
  const [isKept, setIsKept] = useState(false);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      isKept={isKept}
      title={server === undefined ? 'Use your tools in an editor or agent' : `Use ${server.displayName} elsewhere`}
      text="Any program that speaks MCP can use your tools through the gateway. It gets a token of its own, which can call tools and nothing else. The credentials of the servers never leave the gateway."
    >
      {isOpen && <DoorForm onClose={onClose} onKeep={setIsKept} server={server} />}
    </Dialog>
  );
}

interface DoorFormProps {
  onClose: () => void;
  server: DoorDialogProps['server'];
  /** Whether the token is on its way or shown: it would be lost with the dialog. */
  onKeep: (isKept: boolean) => void;
}

function DoorForm({ onClose, onKeep, server }: DoorFormProps) {
  const [{ fetching, error }, create] = useMutation(CreateDoorTokenDocument);
  const [token, setToken] = useState<string>();
  const isKept = fetching || token !== undefined;
  useEffect(() => {
    onKeep(isKept);
    return () => onKeep(false);
  }, [onKeep, isKept]);
  const { register, handleSubmit } = useForm({ defaultValues: { name: 'My editor', days: '90' } });
  const { problemOf, rest } = splitIssues(error, ['name', 'expiresAt']);

  const submit = handleSubmit(async ({ name, days }) => {
    const { data } = await create({
      input: {
        name,
        scopes: ['MCP'],
        expiresAt: toExpiresAt(days),
        ...(server !== undefined && { mcpServerIds: [server.id] }),
      },
    });
    setToken(data?.createApiToken.token);
  });

  if (token !== undefined) {
    return (
      <>
        <p>
          Copy the configuration now: the token in it is shown only this once. You can revoke it under <b>My account</b>
          .
        </p>
        <CopyText text={toConfiguration(token, server?.slug)} label="Configuration" />
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
        label="Name of the token"
        hint="Where it will be used, so that you know it again."
        problem={problemOf('name')}
        autoComplete="off"
        {...register('name')}
      />
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

/** The file of an MCP client, such as `mcp.json`. */
function toConfiguration(token: string, slug: string | undefined): string {
  const url = `${location.origin}/mcp${slug === undefined ? '' : `/servers/${slug}`}`;
  const name = slug ?? 'gatehouse';
  const server = { type: 'http', url, headers: { Authorization: `Bearer ${token}` } };
  return JSON.stringify({ mcpServers: { [name]: server } }, undefined, 2);
}
