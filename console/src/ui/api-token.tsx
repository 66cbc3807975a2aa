import type { TypedDocumentNode } from '@urql/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import { Button } from './button.tsx';
import { Confirm } from './dialog.tsx';

/** Whether a token works no more. */
export function hasEnded({ revokedAt, expiresAt }: { revokedAt: string | null; expiresAt: string | null }): boolean {
  return revokedAt !== null || (expiresAt !== null && Date.parse(expiresAt) <= Date.now());
}

/** What a token is for, in words. */
export function toScopeText({
  scopes,
  mcpServerIds,
}: {
  scopes: readonly string[];
  mcpServerIds: readonly string[] | null;
}): string {
  if (scopes.includes('GRAPH')) return 'Everything';
  if (mcpServerIds === null) return 'Tools only';
  return mcpServerIds.length === 1 ? 'Tools of one server' : `Tools of ${mcpServerIds.length} servers`;
}

interface RevokeButtonProps {
  token: { id: string; name: string };
  /** The mutation that revokes it. Admins and members have their own. */
  mutation: TypedDocumentNode<unknown, { id: string }>;
}

/** Revokes a token, after it was said what that means. */
export function RevokeButton({ token: { id, name }, mutation }: RevokeButtonProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, revoke] = useMutation(mutation);
  const confirm = async (): Promise<void> => {
    const { data } = await revoke({ id });
    if (data !== undefined) setIsOpen(false);
  };
  return (
    <>
      <Button onClick={() => setIsOpen(true)} aria-label={`Revoke: ${name}`}>
        Revoke
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Revoke ${name}?`}
        text="Programs that use it are locked out at once, and so are browsers that signed in with it. It cannot be undone."
        action="Revoke"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}
