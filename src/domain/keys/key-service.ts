import type { KeyRecord } from '../../data/keys/key-list.ts';
import type { RotationOptions, RotationReport } from '../../data/keys/key-rotation.ts';
import type { VerificationReport } from '../../data/keys/key-verification.ts';
import type { KeyRepository } from '../../data/repositories/key-repository.ts';
import { validationFailed } from '../../errors.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** The maximum number of values to reseal per call. It takes a few seconds, which a caller can wait for. */
const MAX_LIMIT = OPERATION_LIMITS.rotationStep.value;

/** Creates the service for the keys of this process. */
export function createKeyService({ keys }: { keys: KeyRepository }) {
  return {
    /** All keys ever registered, oldest first. @throws FORBIDDEN */
    list(viewer: Viewer): Promise<KeyRecord[]> {
      return keys.list(viewer, undefined);
    },

    /** Creates a key that seals from now on. @throws FORBIDDEN, CONFLICT when the keys come from the environment */
    add(viewer: Viewer): Promise<KeyRecord> {
      return keys.add(viewer, undefined);
    },

    /** Reseals the values that are not sealed with the active key. @throws FORBIDDEN, VALIDATION_FAILED */
    async rotate(viewer: Viewer, options: RotationOptions): Promise<RotationReport> {
      assertCan(viewer, 'encryptionKey.manage');
      const { limit } = options;
      if (limit !== undefined && (limit < 1 || limit > MAX_LIMIT)) {
        throw validationFailed([{ path: ['first'], code: 'OUT_OF_RANGE', message: `Must be from 1 to ${MAX_LIMIT}.` }]);
      }
      return keys.rotate(viewer, options);
    },

    /** Tries to open every value and reports those that do not open. @throws FORBIDDEN */
    verify(
      viewer: Viewer,
      options: { onProgress?: ((done: number, total: number) => void) | undefined } = {},
    ): Promise<VerificationReport> {
      return keys.verify(viewer, options);
    },

    /**
     * Revokes a key permanently. @throws FORBIDDEN, NOT_FOUND, CONFLICT while it seals values, with the count and
     * location
     */
    revoke(viewer: Viewer, number: number): Promise<KeyRecord> {
      return keys.revoke(viewer, { number });
    },
  };
}
