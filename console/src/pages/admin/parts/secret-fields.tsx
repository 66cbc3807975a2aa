import { type UseFormReturn, useFieldArray } from 'react-hook-form';
import { Button } from '../../../ui/button.tsx';
import { ChoiceField } from '../../../ui/choice.tsx';
import { TextField } from '../../../ui/form.tsx';
import styles from './server-form.module.css';
import type { ServerFormValues } from './server-values.ts';

const MISSING = 'Give the new value, or keep the stored one.';

interface SecretProps {
  form: UseFormReturn<ServerFormValues>;
  isStored: boolean;
  problem: string | undefined;
}

/** Whether a stored secret stays. It is never shown. */
function SecretChoiceField({
  form,
  label,
  name,
  problem,
}: Omit<SecretProps, 'isStored'> & {
  label: string;
  name: 'oauth2ClientSecretChoice' | 'apiKeyValueChoice' | 'customHeadersChoice';
}) {
  return (
    <ChoiceField
      label={label}
      problem={problem}
      options={[
        { value: 'keep', text: 'Stored. Keep it' },
        { value: 'replace', text: 'Replace it' },
        { value: 'clear', text: 'Clear it' },
      ]}
      {...form.register(name)}
    />
  );
}

/** A secret of one line: stored, replaced or cleared. */
export function SecretField({
  form,
  name,
  label,
  isStored,
  problem,
}: SecretProps & {
  name: 'oauth2ClientSecret' | 'apiKeyValue';
  label: string;
}) {
  const { register, watch, formState } = form;
  const choice = watch(`${name}Choice`);
  const wrong = formState.errors[name]?.message ?? problem;
  const input = (
    <TextField
      label={isStored ? `${label}: new value` : label}
      hint="Stored encrypted, and never shown again."
      problem={wrong}
      type="password"
      autoComplete="new-password"
      {...register(name, {
        validate: (value, values) => !isStored || values[`${name}Choice`] !== 'replace' || value !== '' || MISSING,
      })}
    />
  );
  if (!isStored) return input;
  return (
    <>
      <SecretChoiceField
        form={form}
        label={label}
        name={`${name}Choice`}
        problem={choice === 'replace' ? undefined : problem}
      />
      {choice === 'replace' && input}
    </>
  );
}

/** Headers with secret values. They are replaced all together. */
export function HeadersField({ form, isStored, problem }: SecretProps) {
  const { control, register, watch, formState } = form;
  const { fields, append, remove } = useFieldArray({ control, name: 'customHeaders' });
  const choice = watch('customHeadersChoice');
  const isOpen = !isStored || choice === 'replace';
  const wrong = formState.errors.customHeaders?.[0]?.name?.message ?? problem;
  return (
    <>
      {isStored && (
        <SecretChoiceField
          form={form}
          label="Custom headers"
          name="customHeadersChoice"
          problem={isOpen ? undefined : problem}
        />
      )}
      {isOpen && (
        <>
          {fields.map(({ id }, index) => (
            <div key={id} className={styles.header}>
              <TextField
                label={`Header ${index + 1}`}
                autoComplete="off"
                spellCheck={false}
                problem={index === 0 ? wrong : undefined}
                {...register(`customHeaders.${index}.name`, {
                  validate: (value, values) =>
                    index > 0 || !isStored || values.customHeadersChoice !== 'replace' || value !== '' || MISSING,
                })}
              />
              <TextField
                label={`Value ${index + 1}`}
                type="password"
                autoComplete="new-password"
                {...register(`customHeaders.${index}.value`)}
              />
              {fields.length > 1 && (
                <Button aria-label={`Remove header ${index + 1}`} onClick={() => remove(index)}>
                  Remove
                </Button>
              )}
            </div>
          ))}
          <div>
            <Button onClick={() => append({ name: '', value: '' })}>Another header</Button>
          </div>
        </>
      )}
    </>
  );
}
