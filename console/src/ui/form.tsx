import { type ComponentProps, type ReactNode, useId } from 'react';
import { classNames } from './class-names.ts';
import styles from './form.module.css';

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** What is wrong, in the server's words. */
  problem?: string | undefined;
}

interface FieldIds {
  id: string;
  'aria-describedby': string;
  'aria-invalid': true | undefined;
  className: string | undefined;
}

function Field({ label, hint, problem, children }: FieldProps & { children: (ids: FieldIds) => ReactNode }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {children({
        id,
        'aria-describedby': `${id}-hint ${id}-problem`,
        'aria-invalid': problem === undefined ? undefined : true,
        className: styles.input,
      })}
      <span id={`${id}-hint`} className={styles.hint}>
        {hint}
      </span>
      <span id={`${id}-problem`} className={styles.problem} role="alert">
        {problem}
      </span>
    </div>
  );
}

/** A line of text, with its label, hint and problem. */
export function TextField({ label, hint, problem, ...rest }: FieldProps & ComponentProps<'input'>) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(ids) => <input type="text" {...rest} {...ids} />}
    </Field>
  );
}

/** A choice from a list. */
export function SelectField({ label, hint, problem, ...rest }: FieldProps & ComponentProps<'select'>) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(ids) => <select {...rest} {...ids} />}
    </Field>
  );
}

/** Lines of text. */
export function TextArea({ label, hint, problem, ...rest }: FieldProps & ComponentProps<'textarea'>) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(ids) => <textarea {...rest} {...ids} />}
    </Field>
  );
}

/** A form. What is wrong is told by the server, at its fields. */
export function Form({ className, ...rest }: ComponentProps<'form'>) {
  return <form {...rest} noValidate className={classNames(styles.form, className)} />;
}
