import styles from './changes.module.css';

/** One field before and after, as the audit log has it: JSON in a string. */
export interface Change {
  field: string;
  before: string | null;
  after: string | null;
  isSecret: boolean;
}

/** What changed, field by field. Closed, because an entry can have many fields. */
export function Changes({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) return undefined;
  return (
    <details>
      <summary>{changes.length === 1 ? '1 field' : `${changes.length} fields`}</summary>
      <ChangeList changes={changes} />
    </details>
  );
}

/** The fields with their values before and after. */
export function ChangeList({ changes }: { changes: readonly Change[] }) {
  return (
    <ul className={styles.changes}>
      {changes.map(({ field, before, after, isSecret }) => (
        <li key={field}>
          <b>{field}</b>{' '}
          {isSecret ? (
            <span className={styles.soft}>A secret: its value is not recorded.</span>
          ) : (
            <>
              {!isNothing(before) && <del className={styles.old}>{before}</del>}{' '}
              {!isNothing(after) && <ins className={styles.new}>{after}</ins>}
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function isNothing(value: string | null): value is null {
  return value === null || value === 'null';
}
