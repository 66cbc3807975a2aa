import { useBlocker } from '@tanstack/react-router';
import { Confirm } from '../../../ui/dialog.tsx';
import { useHold } from '../../../ui/hold.ts';

/**
 * Asks before changes are lost that were not saved, and keeps the page when the session ends.
 *
 * @param props.isDirty asked when somebody leaves
 */
export function UnsavedGuard({ isDirty }: { isDirty: () => boolean }) {
  useHold(isDirty);
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      isDirty() &&
      (current.pathname !== next.pathname || JSON.stringify(current.search) !== JSON.stringify(next.search)),
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  return (
    <Confirm
      isOpen={status === 'blocked'}
      onClose={() => reset?.()}
      title="Leave without saving?"
      text="What you changed on this page is not saved, and would be lost."
      action="Leave"
      isBusy={false}
      onConfirm={() => proceed?.()}
    />
  );
}
