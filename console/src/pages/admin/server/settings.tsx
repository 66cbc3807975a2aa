import { useEffect, useRef, useState } from 'react';
import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { codeOf } from '../../../graph/errors.ts';
import { Button } from '../../../ui/button.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { type ServerSettingsFragment, UpdateServerDocument } from '../generated/graphql.ts';
import { ServerForm } from '../parts/server-form.tsx';
import {
  isKept,
  isSecret,
  type ServerFormValues,
  type ServerValues,
  toFormValues,
  toInput,
  toValues,
} from '../parts/server-values.ts';
import { UnsavedGuard } from '../parts/unsaved.tsx';
import { Conflict } from './conflict.tsx';

interface SettingsProps {
  server: ServerSettingsFragment;
  /** Asks for the server again. */
  reload: () => void;
}

/** The form with the settings. What others change meanwhile comes in by itself, if nothing was edited here. */
export function Settings({ server, reload }: SettingsProps) {
  // What the form began with. Its version goes with each save, so that nobody overwrites what they have not seen.
  const [base, setBase] = useState(server);
  const [isSaving, setIsSaving] = useState(false);
  const form = useForm<ServerFormValues>({ defaultValues: toFormValues(toValues(server)) });
  const [{ error }, update] = useMutation(UpdateServerDocument);
  const notify = useNotify();
  const { isDirty } = form.formState;
  const { reset } = form;
  const isOutdated = server.version > base.version && !isSaving;

  useEffect(() => {
    if (!isOutdated || isDirty) return;
    setBase(server);
    reset(toFormValues(toValues(server)));
  }, [isOutdated, isDirty, server, reset]);

  const start = (from: ServerSettingsFragment): void => {
    setBase(from);
    reset(toFormValues(toValues(from)));
  };

  /** Begins anew, and keeps the fields that differ from what they were, but for those that were dropped. */
  const startWith = (
    from: ServerSettingsFragment,
    formerly: ServerFormValues,
    dropped: ReadonlySet<string> = new Set(),
  ): void => {
    const mine = form.getValues();
    start(from);
    for (const name of Object.keys(mine) as (keyof ServerFormValues)[]) {
      if (JSON.stringify(mine[name]) === JSON.stringify(formerly[name]) || dropped.has(name)) continue;
      if (isSecret(name) && isKept(mine, name, base)) continue;
      form.setValue(name, mine[name], { shouldDirty: true });
      if (isSecret(name)) form.setValue(`${name}Choice`, 'replace', { shouldDirty: true });
    }
  };

  const save = async (values: ServerFormValues): Promise<void> => {
    setIsSaving(true);
    const input = toInput(values, toValues(base), base);
    const result = await update({ input: { ...input, id: base.id, expectedVersion: base.version } });
    setIsSaving(false);
    if (codeOf(result.error) === 'VERSION_MISMATCH') reload();
    const saved = result.data?.updateMcpServerConfig.mcpServerConfig;
    if (saved === undefined) return;
    // What was typed in the meantime stays.
    startWith(saved, values);
    notify('The settings are saved');
  };

  const goOn = (dropped: ReadonlySet<keyof ServerValues>): void =>
    startWith(server, toFormValues(toValues(base)), dropped);

  const isConflict = isOutdated && isDirty;
  const conflict = useRef<HTMLElement>(null);
  return (
    <>
      {isConflict && (
        <Conflict key={server.version} element={conflict} form={form} base={base} theirs={server} onResolved={goOn} />
      )}
      <ServerForm
        form={form}
        server={base}
        error={codeOf(error) === 'VERSION_MISMATCH' ? undefined : error}
        onSubmit={async (values) => (isConflict ? conflict.current?.focus() : save(values))}
        buttons={
          <>
            <Button look="primary" type="submit" isBusy={isSaving}>
              Save
            </Button>
            {isDirty && <Button onClick={() => start(server)}>Discard changes</Button>}
          </>
        }
      />
      <UnsavedGuard isDirty={() => form.formState.isDirty} />
    </>
  );
}
