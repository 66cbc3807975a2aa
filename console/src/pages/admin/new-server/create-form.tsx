import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { CheckField } from '../../../ui/choice.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { useStillHere } from '../../../ui/still-here.ts';
import { CreateServerDocument } from '../generated/graphql.ts';
import { ServerForm } from '../parts/server-form.tsx';
import { type ServerFormValues, type ServerValues, toFormValues, toInput, toValues } from '../parts/server-values.ts';
import { UnsavedGuard } from '../parts/unsaved.tsx';

/** The form of a new server, with what is known already. */
export function CreateForm({ start }: { start: ServerValues }) {
  const [isOn, setIsOn] = useState(false);
  const form = useForm<ServerFormValues>({ defaultValues: toFormValues(start) });
  const [{ fetching, error }, create] = useMutation(CreateServerDocument);
  const navigate = useNavigate();
  const begin = useStillHere();
  const notify = useNotify();
  const { isDirty } = form.formState;

  const save = async (values: ServerFormValues): Promise<void> => {
    const isStillHere = begin();
    const { displayName, slug, url } = values;
    const { data } = await create({
      input: { ...toInput(values, toValues(undefined)), displayName, slug, url, enabled: isOn },
    });
    if (data === undefined) return;
    const { id } = data.createMcpServerConfig.mcpServerConfig;
    notify(`${displayName} is added`, isOn ? undefined : 'It is turned off: enable it when it is ready for its users.');
    if (isStillHere()) await navigate({ to: '/admin/servers/$id', params: { id }, search: {}, ignoreBlocker: true });
  };

  return (
    <>
      <ServerForm
        form={form}
        error={error}
        onSubmit={save}
        buttons={
          <Button look="primary" type="submit" isBusy={fetching}>
            Add the server
          </Button>
        }
      >
        <CheckField
          label="Turn it on at once"
          hint="Members see it as soon as it is added. Without this, it waits until you enable it."
          checked={isOn}
          onChange={(event) => setIsOn(event.target.checked)}
        />
      </ServerForm>
      <UnsavedGuard isDirty={() => isDirty} />
    </>
  );
}
