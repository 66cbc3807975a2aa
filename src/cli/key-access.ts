import type { KeyRecord } from '../data/keys/key-list.ts';
import type { RotationReport } from '../data/keys/key-rotation.ts';
import type { VerificationReport } from '../data/keys/key-verification.ts';

/** Reports progress: `done` of `total` values. */
export type OnProgress = (done: number, total: number) => void;

/** The operations of the key commands, run in this process or by the running gateway. */
export interface KeyAccess {
  list(): Promise<Pick<KeyRecord, 'number' | 'digest' | 'status' | 'isConfigured' | 'uses' | 'sealedValueCount'>[]>;
  add(): Promise<{ number: number }>;
  rotate(options: {
    dryRun: boolean;
    onProgress: OnProgress;
  }): Promise<Pick<RotationReport, 'total' | 'resealed' | 'remaining' | 'failures'>>;
  verify(onProgress: OnProgress): Promise<VerificationReport>;
  revoke(number: number): Promise<void>;
}
