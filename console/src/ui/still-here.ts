import { useRouter } from '@tanstack/react-router';

/**
 * For work after which the browser goes to another page. If its answer is late, the user may have opened a page themselves,
 * and must not be led away from that.
 *
 * @returns call it when the work begins; what it returns tells whether the user is still where they were
 */
export function useStillHere(): () => () => boolean {
  const router = useRouter();
  return () => {
    const { href } = router.state.location;
    return () => router.state.location.href === href;
  };
}
