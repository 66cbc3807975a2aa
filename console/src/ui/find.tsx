import { type ReactNode, useState } from 'react';
import { TextField } from './form.tsx';

/** A list with no more entries is seen at a glance. */
const FIND_FROM = 12;

interface Found<Item> {
  /** Those that fit what is typed; all, as long as that is nothing. */
  found: readonly Item[];
  /** A field to type in; undefined for a short list. */
  field: ReactNode;
}

/** Finds entries of a list that is all here, while somebody types. @param textOf the words of an entry */
export function useFind<Item>(items: readonly Item[], textOf: (item: Item) => string, label: string): Found<Item> {
  const [typed, setTyped] = useState('');
  if (items.length < FIND_FROM) return { found: items, field: undefined };
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = items.filter((item) => {
    const text = textOf(item).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const count = `${found.length === 0 ? 'None' : found.length} of ${items.length} shown.`;
  return {
    found,
    field: (
      <TextField
        label={label}
        type="search"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        hint={<span role="status">{words.length === 0 ? '' : count}</span>}
      />
    ),
  };
}
