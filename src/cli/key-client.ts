import type { KeyRecord } from '../data/keys/key-list.ts';
import type { RotationReport } from '../data/keys/key-rotation.ts';
import type { VerificationReport } from '../data/keys/key-verification.ts';
import { requestGateway } from './admin-client.ts';
import type { KeyAccess } from './key-access.ts';

const FAILURES = 'failures { table column id reason }';

type RotationCounts = Pick<RotationReport, 'total' | 'resealed' | 'remaining' | 'failures'>;

/** Runs the key commands through the running gateway, with the admin token. */
export function createKeyClient(): KeyAccess {
  const rotateOnce = async (dryRun: boolean): Promise<RotationCounts> => {
    const { rotateEncryptionKeys } = await requestGateway<{ rotateEncryptionKeys: { rotation: RotationCounts } }>(
      `mutation Rotate($input: RotateEncryptionKeysInput!) { rotateEncryptionKeys(input: $input) {
         rotation { total resealed remaining ${FAILURES} } } }`,
      { input: { dryRun } },
    );
    return rotateEncryptionKeys.rotation;
  };

  return {
    async list() {
      const { encryptionKeys } = await requestGateway<{
        encryptionKeys: (Omit<KeyRecord, 'isConfigured' | 'status'> & { configured: boolean; status: string })[];
      }>(`query Keys { encryptionKeys {
            number digest status configured sealedValueCount uses { table column count } } }`);
      return encryptionKeys.map(({ configured, status, ...key }) => ({
        ...key,
        isConfigured: configured,
        status: status.toLowerCase() as KeyRecord['status'],
      }));
    },

    async add() {
      const { addEncryptionKey } = await requestGateway<{ addEncryptionKey: { encryptionKey: { number: number } } }>(
        'mutation Add { addEncryptionKey { encryptionKey { number } } }',
      );
      return addEncryptionKey.encryptionKey;
    },

    /** Calls the gateway repeatedly: each call is short, and finished work is kept if this process is interrupted. */
    async rotate({ dryRun, onProgress }) {
      const first = await rotateOnce(dryRun);
      let last = first;
      let resealed = first.resealed;
      while (!dryRun && last.resealed > 0 && last.remaining > 0) {
        onProgress(Math.min(resealed, first.total), first.total);
        last = await rotateOnce(false);
        resealed += last.resealed;
      }
      return { total: first.total, resealed, remaining: last.remaining, failures: toLowerCase(last.failures) };
    },

    async verify() {
      const { verifyEncryptedValues } = await requestGateway<{
        verifyEncryptedValues: { verification: VerificationReport };
      }>(`mutation Verify { verifyEncryptedValues { verification { checked ${FAILURES} } } }`);
      const report = verifyEncryptedValues.verification;
      return { checked: report.checked, failures: toLowerCase(report.failures) };
    },

    async revoke(number) {
      const mutation =
        'mutation Revoke($input: RevokeEncryptionKeyInput!) { revokeEncryptionKey(input: $input) { encryptionKey { number } } }';
      await requestGateway(mutation, { input: { number } });
    },
  };
}

/** Converts the GraphQL enum values of reasons to the internal ones. */
function toLowerCase(failures: RotationReport['failures']): RotationReport['failures'] {
  return failures.map((each) => ({ ...each, reason: each.reason.toLowerCase() as typeof each.reason }));
}
