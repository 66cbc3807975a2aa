import { useEffect, useRef } from 'react';
import { holdPage } from '../graph/leaving.ts';

/** Keeps the page when the session ends while this says so, because something on it would be lost. */
export function useHold(isHeld: () => boolean): void {
  const latest = useRef(isHeld);
  useEffect(() => {
    latest.current = isHeld;
  });
  useEffect(() => holdPage(() => latest.current()), []);
}
