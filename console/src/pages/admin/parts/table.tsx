import { type CSSProperties, type ReactNode, useEffect, useRef } from 'react';
import { Button } from '../../../ui/button.tsx';
import styles from './table.module.css';

/**
 * A table. Where there is no room for its columns, each row is a block of lines, with the heads before them. If a table is
 * wider still than the page, it scrolls by itself, also with the keyboard.
 */
export function Table({ label, head, children }: { label: string; head: readonly string[]; children: ReactNode }) {
  const heads = Object.fromEntries(head.map((text, index) => [`--head-${index + 1}`, JSON.stringify(text)]));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table can be scrolled with the keyboard
    <section className={styles.scroll} aria-label={label} tabIndex={0} style={heads as CSSProperties}>
      <table className={styles.table}>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** A second, quieter line in a cell. */
export function Under({ children }: { children: ReactNode }) {
  return <span className={styles.under}>{children}</span>;
}

interface PagerProps {
  total: number;
  /** In the singular and in the plural: `['server', 'servers']`. */
  words: readonly [string, string];
  isFirst: boolean;
  /** Cursor of the next page; null on the last one. */
  next: string | null;
  onGo: (after: string | undefined) => void;
}

/** How many there are, and the way to the next page. */
export function Pager({ total, words: [one, many], isFirst, next, onGo }: PagerProps) {
  return (
    <div className={styles.pager}>
      <span role="status">{total === 1 ? `1 ${one}` : `${total.toLocaleString('en')} ${many}`}</span>
      <span className={styles.row}>
        {!isFirst && <Button onClick={() => onGo(undefined)}>First page</Button>}
        {next !== null && <Button onClick={() => onGo(next)}>Next page</Button>}
      </span>
    </div>
  );
}

interface FiltersProps {
  label: string;
  /** The filters that apply now, by the names of the fields. */
  values: object;
  onApply: (values: Record<string, string>) => void;
  children: ReactNode;
}

/** The filters above a list. They are applied together, and stand in the address. */
export function Filters({ label, values, onApply, children }: FiltersProps) {
  const form = useRef<HTMLFormElement>(null);
  const applied = JSON.stringify(values);
  // Links and the browser's buttons change the address, too. The fields stay, or the focus would be lost.
  useEffect(() => {
    const now = JSON.parse(applied) as Record<string, string>;
    for (const field of form.current?.querySelectorAll<HTMLInputElement | HTMLSelectElement>('[name]') ?? []) {
      field.value = now[field.name] ?? '';
    }
  }, [applied]);
  return (
    <search aria-label={label}>
      <form
        ref={form}
        className={styles.filters}
        onSubmit={(event) => {
          event.preventDefault();
          const given = [...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value).trim()]);
          onApply(Object.fromEntries(given) as Record<string, string>);
        }}
      >
        {children}
        <Button type="submit">Apply</Button>
      </form>
    </search>
  );
}

/** The options of a filter, with one that filters nothing. */
export function Options({ all, texts }: { all: string; texts: Readonly<Record<string, string>> }) {
  return (
    <>
      <option value="">{all}</option>
      {Object.entries(texts).map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </>
  );
}
