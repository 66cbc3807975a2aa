import type { KeyRecord } from '../../data/keys/key-list.ts';
import type { RotationOptions, RotationReport } from '../../data/keys/key-rotation.ts';
import type { VerificationReport } from '../../data/keys/key-verification.ts';
import type { KeyRepository } from '../../data/repositories/key-repository.ts';
import { validationFailed } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** Values that one call may be asked to seal anew: some seconds, which a caller can wait for. */
const MAX_LIMIT = 50_000;

/** What can be done with the master keys. Every step can be cut off and repeated. */
export type KeyService = ReturnType<typeof createKeyService>;

/** Makes the service over the keys of this process. */
export function createKeyService({ keys }: { keys: KeyRepository }) {
  return {
    /** All keys that ever were, oldest first. @throws FORBIDDEN */
    list(viewer: Viewer): Promise<KeyRecord[]> {
      return keys.list(viewer, undefined);
    },

    /** Makes a new key that seals from now on. @throws FORBIDDEN, CONFLICT when the keys come from the environment */
    add(viewer: Viewer): Promise<KeyRecord> {
      return keys.add(viewer, undefined);
    },

    /** Seals anew what another key than the active one sealed. @throws FORBIDDEN, VALIDATION_FAILED */
    async rotate(viewer: Viewer, options: RotationOptions): Promise<RotationReport> {
      assertCan(viewer, 'encryptionKey.manage');
      const { limit } = options;
      if (limit !== undefined && (limit < 1 || limit > MAX_LIMIT)) {
        throw validationFailed([{ path: ['first'], code: 'OUT_OF_RANGE', message: `Must be from 1 to ${MAX_LIMIT}.` }]);
      }
      return keys.rotate(viewer, options);
    },

    /** Opens every value and tells which do not open. @throws FORBIDDEN */
    verify(
      viewer: Viewer,
      options: { onProgress?: ((done: number, total: number) => void) | undefined } = {},
    ): Promise<VerificationReport> {
      return keys.verify(viewer, options);
    },

    /** Ends a key for good. @throws FORBIDDEN, NOT_FOUND, CONFLICT while it seals anything, with how many and where */
    revoke(viewer: Viewer, number: number): Promise<KeyRecord> {
      return keys.revoke(viewer, { number });
    },
  };
}
