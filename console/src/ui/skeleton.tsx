import styles from './skeleton.module.css';

/** In the place of a list that is on its way. */
export function ListSkeleton({ rows = 3 }: { rows?: number }) {
  return (
    <div className={styles.list} role="status">
      <span className={styles.hidden}>Loading</span>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all the same
        <span key={index} className={styles.block} aria-hidden="true" />
      ))}
    </div>
  );
}

/** In the place of a page that is on its way. */
export function PageSkeleton() {
  return (
    <div className={styles.page}>
      <ListSkeleton />
    </div>
  );
}
