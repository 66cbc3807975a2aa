import { type RefObject, useEffect, useRef } from 'react';

/**
 * Keeps the end of a list in view that is scrolled by itself, as it begins and as it grows. Who has scrolled up stays where
 * they are, also when something is put before it.
 */
export function useEndInView(): RefObject<HTMLDivElement | null> {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = ref.current;
    const content = box?.firstElementChild;
    if (box == null || content == null) return;
    /** From what is in view to the end. */
    let fromEnd = 0;
    const remember = (): void => {
      fromEnd = box.scrollHeight - box.clientHeight - box.scrollTop;
    };
    const observer = new ResizeObserver(() => {
      box.scrollTop = box.scrollHeight - box.clientHeight - fromEnd;
    });
    observer.observe(content);
    observer.observe(box);
    box.addEventListener('scroll', remember, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener('scroll', remember);
    };
  }, []);
  return ref;
}
