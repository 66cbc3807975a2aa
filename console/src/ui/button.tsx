import { createLink } from '@tanstack/react-router';
import type { ComponentProps } from 'react';
import styles from './button.module.css';
import { classNames } from './class-names.ts';

/** How a button looks: one primary at most in each part of a page. */
type Look = 'normal' | 'primary' | 'danger' | 'plain';

interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  look?: Look;
  /** Its work is under way. It keeps the focus, and does nothing more. */
  isBusy?: boolean;
}

/** A button. It is never disabled, because that would lose the focus. */
export function Button({ look = 'normal', isBusy = false, className, children, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={classNames(styles.button, className)}
      data-look={look}
      aria-disabled={isBusy || undefined}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {isBusy && <span className={styles.spinner} aria-hidden="true" />}
      {children}
    </button>
  );
}

function Anchor({ look = 'normal', className, ...rest }: ComponentProps<'a'> & { look?: Look }) {
  return <a {...rest} className={classNames(styles.button, className)} data-look={look} />;
}

/** A link to a page that looks like a button. */
export const LinkButton = createLink(Anchor);
