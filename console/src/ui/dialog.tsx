import { AlertDialog } from '@base-ui/react/alert-dialog';
import { Dialog as BaseDialog } from '@base-ui/react/dialog';
import type { CombinedError } from '@urql/core';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import styles from './dialog.module.css';
import { Failed } from './failed.tsx';
import { useHold } from './hold.ts';
import { SessionEnded, useSessionEnded } from './session-ended.tsx';

interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  /** What it is about, in a sentence or two. */
  text?: ReactNode;
}

interface FormDialogProps extends DialogProps {
  /** Nothing is typed in it. */
  isOnlyRead?: boolean;
  /** Whether it must not be closed now by the way: what comes, or is shown, would be lost. */
  isKept?: boolean;
  children: ReactNode;
}

/**
 * A window in the page, for a form. Escape and a click beside it close it, and the focus goes back. If the session ends, it
 * stays with the page, and says so.
 */
export function Dialog({
  isOpen,
  onClose,
  title,
  text,
  isOnlyRead = false,
  isKept = false,
  children,
}: FormDialogProps) {
  useHold(() => isOpen && !isOnlyRead);
  const isEnded = useSessionEnded();
  return (
    <BaseDialog.Root open={isOpen} onOpenChange={(open) => !open && !isKept && !isEnded && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className={styles.backdrop} />
        <BaseDialog.Viewport className={styles.viewport}>
          <BaseDialog.Popup className={styles.popup}>
            <BaseDialog.Title className={styles.title}>{title}</BaseDialog.Title>
            {text !== undefined && <BaseDialog.Description className={styles.text}>{text}</BaseDialog.Description>}
            <div role="status" className={styles.status}>
              {isEnded && <SessionEnded />}
            </div>
            {children}
          </BaseDialog.Popup>
        </BaseDialog.Viewport>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}

/** The buttons at the end of a dialog. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}

interface ConfirmProps extends DialogProps {
  /** What happens, as a verb: "Revoke". */
  action: string;
  isBusy: boolean;
  error?: CombinedError | undefined;
  onConfirm: () => void;
  children?: ReactNode;
}

/** Asks before something that cannot be taken back. A click beside it does not close it. */
export function Confirm({ isOpen, onClose, title, text, action, isBusy, error, onConfirm, children }: ConfirmProps) {
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles.backdrop} />
        <AlertDialog.Viewport className={styles.viewport}>
          <AlertDialog.Popup className={styles.popup}>
            <AlertDialog.Title className={styles.title}>{title}</AlertDialog.Title>
            {text !== undefined && <AlertDialog.Description className={styles.text}>{text}</AlertDialog.Description>}
            {children}
            {error !== undefined && <Failed error={error} />}
            <DialogActions>
              <Button onClick={onClose}>Cancel</Button>
              <Button look="danger" isBusy={isBusy} onClick={onConfirm}>
                {action}
              </Button>
            </DialogActions>
          </AlertDialog.Popup>
        </AlertDialog.Viewport>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
