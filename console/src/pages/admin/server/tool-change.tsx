import type { Tool } from './tool-rules.tsx';
import styles from './tools.module.css';

/** How a tool differs from what was approved. */
export function ToolChange({ change }: { change: NonNullable<Tool['change']> }) {
  return (
    <details className={styles.change}>
      <summary>What changed since it was approved</summary>
      {change.description.length > 0 && (
        <p>
          {change.description.map(({ kind, text }, index) => {
            // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text have no other name
            if (kind === 'ADDED') return <ins key={index}>{text}</ins>;
            // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text have no other name
            if (kind === 'REMOVED') return <del key={index}>{text}</del>;
            return text;
          })}
        </p>
      )}
      <ul>
        {change.fields.map(({ path, before, after }) => (
          <li key={path}>
            <code>{path}</code> {before != null && <del>{JSON.stringify(before)}</del>}{' '}
            {after != null && <ins>{JSON.stringify(after)}</ins>}
          </li>
        ))}
      </ul>
      {change.hasMoreFields && <p>More fields differ.</p>}
    </details>
  );
}
