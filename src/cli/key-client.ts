import type { KeyRecord } from '../data/keys/key-list.ts';
import type { RotationReport } from '../data/keys/key-rotation.ts';
import type { VerificationReport } from '../data/keys/key-verification.ts';
import { requestGateway } from './admin-client.ts';
import type { KeyAccess } from './key-access.ts';

type RotationCounts = Pick<RotationReport, 'total' | 'resealed' | 'remaining' | 'failures'>;

/** Runs the key commands through the running gateway, with the admin token. */
export function createKeyClient(): KeyAccess {
  const rotateOnce = async (dryRun: boolean): Promise<RotationCounts> => {
    const { rotateEncryptionKeys } = await requestGateway<{ rotateEncryptionKeys: { rotation: RotationCounts } }>(
      'rotateKeys',
      { input: { dryRun } },
    );
    return rotateEncryptionKeys.rotation;
  };

  return {
    async list() {
      const { encryptionKeys } = await requestGateway<{
        encryptionKeys: (Omit<KeyRecord, 'isConfigured' | 'status'> & { configured: boolean; status: string })[];
      }>('listKeys');
      return encryptionKeys.map(({ configured, status, ...key }) => ({
        ...key,
        isConfigured: configured,
        status: status.toLowerCase() as KeyRecord['status'],
      }));
    },

    async add() {
      const { addEncryptionKey } = await requestGateway<{ addEncryptionKey: { encryptionKey: { number: number } } }>(
        'addKey',
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
      }>('verifyValues');
      const report = verifyEncryptedValues.verification;
      return { checked: report.checked, failures: toLowerCase(report.failures) };
    },

    async revoke(number) {
      await requestGateway('revokeKey', { input: { number } });
    },
  };
}

/** Converts the GraphQL enum values of reasons to the internal ones. */
function toLowerCase(failures: RotationReport['failures']): RotationReport['failures'] {
  return failures.map((each) => ({ ...each, reason: each.reason.toLowerCase() as typeof each.reason }));
}
