import { useEffect, useRef } from 'react';

/** Tells whether the component is still on the page: what comes late must not lead away from the page that came after it. */
export function useIsShown(): () => boolean {
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  return () => isShown.current;
}
