import { type ComponentProps, type ReactNode, useId } from 'react';
import styles from './choice.module.css';

interface ChoiceFieldProps extends ComponentProps<'input'> {
  label: string;
  /** The values with their names, and a sentence that says what each means. */
  options: readonly { value: string; text: string; meaning?: ReactNode }[];
  problem?: string | undefined;
  /** The chosen value, where no form library keeps it. */
  checkedValue?: string;
}

/** A choice between few values, all of which can be read at once. The props are those of each radio button. */
export function ChoiceField({ label, options, problem, checkedValue, ...rest }: ChoiceFieldProps) {
  const id = useId();
  return (
    <fieldset className={styles.choices} aria-describedby={`${id}-problem`}>
      <legend className={styles.legend}>{label}</legend>
      {options.map(({ value, text, meaning }) => (
        <div key={value} className={styles.choice}>
          <input
            type="radio"
            {...rest}
            id={`${id}-${value}`}
            value={value}
            {...(checkedValue !== undefined && { checked: checkedValue === value })}
            aria-describedby={`${id}-${value}-meaning`}
            aria-invalid={problem === undefined ? undefined : true}
          />
          <label htmlFor={`${id}-${value}`}>{text}</label>
          <span id={`${id}-${value}-meaning`} className={styles.meaning}>
            {meaning}
          </span>
        </div>
      ))}
      <span id={`${id}-problem`} className={styles.problem} role="alert">
        {problem}
      </span>
    </fieldset>
  );
}

/** Something that is on or off. */
export function CheckField({ label, hint, ...rest }: ComponentProps<'input'> & { label: string; hint?: ReactNode }) {
  const id = useId();
  return (
    <div className={styles.choice}>
      <input type="checkbox" {...rest} id={id} aria-describedby={`${id}-hint`} />
      <label htmlFor={id}>{label}</label>
      <span id={`${id}-hint`} className={styles.meaning}>
        {hint}
      </span>
    </div>
  );
}

/** Several things that are on or off, and belong together. */
export function CheckGroup({ label, children }: { label: string; children: ReactNode }) {
  return (
    <fieldset className={styles.choices}>
      <legend className={styles.legend}>{label}</legend>
      {children}
    </fieldset>
  );
}
