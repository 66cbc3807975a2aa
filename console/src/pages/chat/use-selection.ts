import type { CombinedError } from '@urql/core';
import { useRef, useState } from 'react';
import { useClient, useMutation } from 'urql';
import { ChatChoiceDocument, SelectServersDocument } from '../../graph/generated/graphql.ts';

/** The choice of servers of a chat. */
export interface Selection {
  /** The chosen ids. While a choice is being saved, those that were asked for; if that fails, those that are stored. */
  ids: readonly string[];
  isSaving: boolean;
  error: CombinedError | undefined;
  /** Adds servers or leaves them out, and saves. */
  choose(ids: readonly string[], isChosen: boolean): void;
}

/** Servers that the user adds or leaves out. */
interface Change {
  changed: readonly string[];
  isChosen: boolean;
}

/**
 * Saves each change of a chat's servers at once. One save is under way at a time, so that the last choice is what stays. What is
 * stored is read again before, because the choice may have been changed elsewhere, and nobody told this page.
 */
export function useSelection({ id, mcpServerIds }: { id: string; mcpServerIds: readonly string[] }): Selection {
  const client = useClient();
  const [{ error }, select] = useMutation(SelectServersDocument);
  const [readError, setReadError] = useState<CombinedError>();
  const [waiting, setWaiting] = useState<readonly Change[]>([]);
  const isSaving = useRef(false);
  const next = useRef<readonly Change[]>([]);

  const save = async (change: Change): Promise<void> => {
    next.current = [...next.current, change];
    setWaiting((before) => [...before, change]);
    if (isSaving.current) return;
    isSaving.current = true;
    while (next.current.length > 0) {
      const sent = next.current;
      next.current = [];
      // Not with the query of the page, which would be replaced by a failure.
      const stored = await client.query(ChatChoiceDocument, { id }, { requestPolicy: 'network-only' }).toPromise();
      setReadError(stored.error);
      const chat = stored.data?.chat;
      if (chat != null) await select({ id, mcpServerIds: apply(chat.mcpServerIds, sent) });
    }
    isSaving.current = false;
    setWaiting([]);
  };

  return {
    ids: apply(mcpServerIds, waiting),
    isSaving: waiting.length > 0,
    error: readError ?? error,
    choose: (changed, isChosen) => void save({ changed, isChosen }),
  };
}

function apply(ids: readonly string[], changes: readonly Change[]): string[] {
  return changes.reduce<string[]>(
    (all, { changed, isChosen }) => {
      const others = all.filter((each) => !changed.includes(each));
      return isChosen ? [...others, ...changed] : others;
    },
    [...ids],
  );
}
