import type { CombinedError } from '@urql/core';
import { useRef, useState } from 'react';
import { useMutation } from 'urql';
import { SelectServersDocument } from '../../graph/generated/graphql.ts';

/** The choice of servers of a chat. */
export interface Selection {
  /** The chosen ids. While a choice is being saved, those that were asked for; if that fails, those that are stored. */
  ids: readonly string[];
  isSaving: boolean;
  error: CombinedError | undefined;
  /** Adds servers or leaves them out, and saves. */
  choose(ids: readonly string[], isChosen: boolean): void;
}

/** Saves each change of a chat's servers at once. One save is under way at a time, so that the last choice is what stays. */
export function useSelection({ id, mcpServerIds }: { id: string; mcpServerIds: readonly string[] }): Selection {
  const [{ error }, select] = useMutation(SelectServersDocument);
  const [wanted, setWanted] = useState<readonly string[]>();
  const isSaving = useRef(false);
  const next = useRef<readonly string[] | undefined>(undefined);
  const ids = wanted ?? mcpServerIds;

  const save = async (all: readonly string[]): Promise<void> => {
    setWanted(all);
    next.current = all;
    if (isSaving.current) return;
    isSaving.current = true;
    while (next.current !== undefined) {
      const sent = next.current;
      next.current = undefined;
      await select({ id, mcpServerIds: [...sent] });
    }
    isSaving.current = false;
    setWanted(undefined);
  };

  return {
    ids,
    isSaving: wanted !== undefined,
    error,
    choose(changed, isChosen) {
      const others = ids.filter((each) => !changed.includes(each));
      void save(isChosen ? [...others, ...changed] : others);
    },
  };
}
