import type { KeyRecord } from '../data/keys/key-list.ts';
import type { RotationReport } from '../data/keys/key-rotation.ts';
import type { VerificationReport } from '../data/keys/key-verification.ts';
import { askGateway } from './admin-client.ts';
import type { KeyAccess } from './key-access.ts';

const FAILURES = 'failures { table column id reason }';

type Reports = Pick<RotationReport, 'total' | 'resealed' | 'remaining' | 'failures'>;

/** The key commands through the running gateway, with the admin token. */
export function createKeyClient(): KeyAccess {
  const rotateOnce = async (dryRun: boolean): Promise<Reports> => {
    const { rotateEncryptionKeys } = await askGateway<{ rotateEncryptionKeys: Reports }>(
      `mutation Rotate($dryRun: Boolean!) { rotateEncryptionKeys(dryRun: $dryRun) {
         total resealed remaining ${FAILURES} } }`,
      { dryRun },
    );
    return rotateEncryptionKeys;
  };

  return {
    async list() {
      const { encryptionKeys } = await askGateway<{
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
      const { addEncryptionKey } = await askGateway<{ addEncryptionKey: { number: number } }>(
        'mutation Add { addEncryptionKey { number } }',
      );
      return addEncryptionKey;
    },

    /** Call after call: none takes long, and what was done stays done when this process ends in between. */
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
      const { verifyEncryptedValues: report } = await askGateway<{ verifyEncryptedValues: VerificationReport }>(
        `mutation Verify { verifyEncryptedValues { checked ${FAILURES} } }`,
      );
      return { checked: report.checked, failures: toLowerCase(report.failures) };
    },

    async revoke(number) {
      await askGateway('mutation Revoke($number: Int!) { revokeEncryptionKey(number: $number) { number } }', {
        number,
      });
    },
  };
}

/** The graph's names of reasons as the gateway's own. */
function toLowerCase(failures: RotationReport['failures']): RotationReport['failures'] {
  return failures.map((each) => ({ ...each, reason: each.reason.toLowerCase() as typeof each.reason }));
}
