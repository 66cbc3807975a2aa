import type { CombinedError } from '@urql/core';
import { useEffect, useRef, useState } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { Section } from '../../../ui/layout.tsx';
import { Status } from '../../../ui/status.tsx';
import { AddKeyDocument, type EncryptionKeysQuery, RotateKeysDocument } from '../generated/graphql.ts';

/** So many secrets are sealed anew in one request: the progress is told in between. */
const STEP = 1_000;

interface Progress {
  total: number;
  left: number;
  failed: number;
  isDone: boolean;
}

/** Makes a new key, and moves all secrets to the active one. It goes on where it was when the page is left. */
export function Rotation({ keys }: { keys: EncryptionKeysQuery['encryptionKeys'] }) {
  const [added, addKey] = useMutation(AddKeyDocument);
  const [, rotate] = useMutation(RotateKeysDocument);
  const [progress, setProgress] = useState<Progress>();
  const [failure, setFailure] = useState<CombinedError>();
  const isLeft = useRef(false);
  useEffect(() => {
    isLeft.current = false;
    return () => {
      isLeft.current = true;
    };
  }, []);
  const isRunning = progress !== undefined && !progress.isDone && failure === undefined;
  const old = keys.filter(({ status }) => status === 'DECRYPT_ONLY');
  const sealed = old.reduce((sum, { sealedValueCount }) => sum + sealedValueCount, 0);

  const run = async (): Promise<void> => {
    setFailure(undefined);
    setProgress({ total: sealed, left: sealed, failed: 0, isDone: false });
    let total: number | undefined;
    let failed = 0;
    while (!isLeft.current) {
      const { data, error } = await rotate({ first: STEP });
      if (error !== undefined || data === undefined) return setFailure(error);
      const { rotation } = data.rotateEncryptionKeys;
      total ??= rotation.total;
      failed += rotation.failureCount;
      // What cannot be opened stays, and would be tried for ever.
      const isDone = rotation.remaining === 0 || rotation.resealed === 0;
      setProgress({ total, left: rotation.remaining, failed, isDone });
      if (isDone) return undefined;
    }
    return undefined;
  };

  return (
    <Section
      title="Rotate"
      lead="First a new key, then every secret is sealed with it while the gateway runs, then the old key is revoked."
      actions={
        <>
          <Button isBusy={added.fetching} onClick={() => addKey({})}>
            Make a new key
          </Button>
          <Button look={sealed > 0 ? 'primary' : 'normal'} isBusy={isRunning} onClick={run}>
            Move all secrets to the active key
          </Button>
        </>
      }
    >
      {added.error !== undefined && <Failed error={added.error} />}
      {failure !== undefined && <Failed error={failure} retry={run} />}
      {progress !== undefined && (
        <>
          <progress
            aria-label="Secrets moved"
            max={Math.max(progress.total, 1)}
            value={
              progress.isDone && progress.left === 0 ? Math.max(progress.total, 1) : progress.total - progress.left
            }
          />
          <p role="status">
            {progress.isDone ? (
              <Status tone={progress.left === 0 ? 'good' : 'bad'}>
                {progress.left === 0
                  ? 'Every secret is sealed with the active key'
                  : `${progress.left.toLocaleString('en')} secrets do not open: check them below`}
              </Status>
            ) : (
              `${progress.left.toLocaleString('en')} of ${progress.total.toLocaleString('en')} left`
            )}
          </p>
        </>
      )}
    </Section>
  );
}
