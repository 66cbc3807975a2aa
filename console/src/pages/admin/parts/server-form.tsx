import type { CombinedError } from '@urql/core';
import { type ReactNode, useEffect, useRef } from 'react';
import type { UseFormReturn } from 'react-hook-form';
import { ChoiceField } from '../../../ui/choice.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Form, SelectField, TextArea, TextField } from '../../../ui/form.tsx';
import { splitIssues } from '../../../ui/form-issues.ts';
import { Card } from '../../../ui/layout.tsx';
import type { ServerSettingsFragment } from '../generated/graphql.ts';
import styles from './server-form.module.css';
import { FORM_FIELDS, SETTING_LABELS, type ServerFormValues } from './server-values.ts';
import { SignInFields } from './sign-in-fields.tsx';
import { AVAILABILITY_MEANING, AVAILABILITY_TEXT, toOptions } from './words.ts';

interface ServerFormProps {
  form: UseFormReturn<ServerFormValues>;
  /** The stored server. Absent: a new one. */
  server?: ServerSettingsFragment;
  error: CombinedError | undefined;
  onSubmit: (values: ServerFormValues) => Promise<void>;
  /** More fields, before the buttons. */
  children?: ReactNode;
  buttons: ReactNode;
}

/** The settings of a server. What is wrong is told by the gateway, at its fields. */
export function ServerForm({ form, server, error, onSubmit, children, buttons }: ServerFormProps) {
  const { register, handleSubmit } = form;
  const { problemOf, rest } = splitIssues(error, FORM_FIELDS);
  const element = useRef<HTMLFormElement>(null);

  // To what is wrong first, so that nobody has to look for it.
  useEffect(() => {
    if (error === undefined) return;
    const wrong = element.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-failed]');
    wrong?.focus();
  }, [error]);

  return (
    <Card className={styles.card}>
      <Form ref={element} onSubmit={handleSubmit(onSubmit)}>
        {rest !== undefined && (
          <div data-failed="" tabIndex={-1}>
            <Failed error={rest} />
          </div>
        )}
        <div className={styles.pair}>
          <TextField
            label={SETTING_LABELS.displayName}
            problem={problemOf('displayName')}
            autoComplete="off"
            {...register('displayName')}
          />
          <TextField
            label={SETTING_LABELS.slug}
            hint="Models see its tools as short-name__tool. Letters a to z, digits, and “-” between them."
            problem={problemOf('slug')}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            {...register('slug')}
          />
        </div>
        <TextArea
          label={SETTING_LABELS.description}
          hint="Members read it, and decide by it."
          problem={problemOf('description')}
          rows={2}
          {...register('description')}
        />
        <TextField
          label={SETTING_LABELS.url}
          hint={
            server === undefined
              ? undefined
              : 'At another host, scheme or port, all connections end, and the secrets must be given again.'
          }
          problem={problemOf('url')}
          type="url"
          autoComplete="off"
          spellCheck={false}
          {...register('url')}
        />
        <SelectField label={SETTING_LABELS.transport} problem={problemOf('transport')} {...register('transport')}>
          <option value="STREAMABLE_HTTP">Streamable HTTP: the present one</option>
          <option value="SSE">Server-sent events: for old servers</option>
        </SelectField>
        <SignInFields form={form} server={server} problemOf={problemOf} />
        <ChoiceField
          label={SETTING_LABELS.availability}
          options={toOptions(AVAILABILITY_TEXT, AVAILABILITY_MEANING)}
          problem={problemOf('availability')}
          {...register('availability')}
        />
        <TextField
          label={SETTING_LABELS.iconUrl}
          hint="The URL of an image, for programs that show it. It can be empty."
          problem={problemOf('iconUrl')}
          type="url"
          autoComplete="off"
          {...register('iconUrl')}
        />
        {children}
        <div className={styles.buttons}>{buttons}</div>
      </Form>
    </Card>
  );
}
