import { Toast } from '@base-ui/react/toast';
import type { ReactNode } from 'react';
import styles from './notices.module.css';

/** Shows what was done, for those who see it and for screen readers. */
export function useNotify(): (title: string, text?: string) => void {
  const { add } = Toast.useToastManager();
  return (title, text) => {
    add({ title, ...(text !== undefined && { description: text }), timeout: 10_000 });
  };
}

/** The place of the notices. */
export function Notices({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider limit={3}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className={styles.viewport}>
          <NoticeList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function NoticeList() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className={styles.notice}>
      <Toast.Content className={styles.content}>
        <div className={styles.words}>
          <Toast.Title className={styles.title} />
          <Toast.Description className={styles.text} />
        </div>
        <Toast.Close className={styles.close} aria-label="Close">
          <span aria-hidden="true">×</span>
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
