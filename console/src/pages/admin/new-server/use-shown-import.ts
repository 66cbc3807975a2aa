import { useState } from 'react';

/** An import that is shown. */
export interface ShownImport {
  content: string;
  /** Another one has another key. */
  key: number;
  /** How often somebody asked what it would do. */
  round: number;
}

/** The import that a page shows. To ask again for the same one keeps what was given for it, until it is done. */
export function useShownImport() {
  const [shown, setShown] = useState<ShownImport>();
  const [isDone, setIsDone] = useState(false);
  return {
    shown,
    isDone,
    show(content: string): void {
      const { key = 0, round = 0 } = shown ?? {};
      const isSame = shown?.content === content && !isDone;
      setShown({ content, key: isSame ? key : key + 1, round: round + 1 });
      setIsDone(false);
    },
    onDone: (): void => setIsDone(true),
  };
}
