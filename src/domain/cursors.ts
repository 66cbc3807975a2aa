import { type CursorPurpose, openCursor, sealCursor } from '../crypto/cursor-seal.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { type Viewer, viewerUserId } from '../policy/viewer.ts';

/** Seals positions in lists and in the feed, so that nobody can forge, read or pass on a cursor. */
export type Cursors = ReturnType<typeof createCursors>;

/**
 * Creates the service. The active master key seals and every key of the keyring opens, so cursors survive a rotation
 * and end with the revocation of their key.
 *
 * @param epoch identifies the database and its history
 */
export function createCursors({ keyring, epoch }: { keyring: Keyring; epoch: () => string }) {
  const purposeOf = (viewer: Viewer, kind: string): CursorPurpose => ({
    kind,
    epoch: epoch(),
    userId: viewerUserId(viewer) ?? '',
  });
  const seal = (viewer: Viewer, kind: string, position: Uint8Array, isUnique: boolean): string =>
    sealCursor(keyring.active, purposeOf(viewer, kind), position, { isUnique });

  return {
    /** Seals a position that the viewer may know. The same position gives the same text. */
    seal: (viewer: Viewer, kind: string, position: Uint8Array): string => seal(viewer, kind, position, false),

    /** Seals a position whose progress must not show: two texts never tell whether their positions are equal. */
    sealUnique: (viewer: Viewer, kind: string, position: Uint8Array): string => seal(viewer, kind, position, true),

    /** Opens the viewer's own cursor of this kind. Undefined if the text is anything else. @param maxLength of other texts than cursors */
    open(viewer: Viewer, kind: string, cursor: string, maxLength?: number): Uint8Array | undefined {
      const purpose = purposeOf(viewer, kind);
      for (const key of new Set([keyring.active, ...keyring.keys])) {
        const position = openCursor(key, purpose, cursor, maxLength);
        if (position !== undefined) return position;
      }
      return undefined;
    },
  };
}
