import { createCipheriv, randomBytes } from 'node:crypto';
import type { SealedPlace } from '../../src/crypto/envelope.ts';
import type { MasterKey } from '../../src/crypto/master-key.ts';

/** Seals a text in the format `v1`, which the gateway opens and no longer writes (docs/adr/0002-sealed-values.md). */
export function sealV1(key: MasterKey, text: string, place: SealedPlace, salt = randomBytes(32)): string {
  const { encryptionKey, commitment } = key.deriveEnvelopeKeys(salt, 'gatehouse/envelope/v1');
  const cipher = createCipheriv('aes-256-gcm', encryptionKey, Buffer.alloc(12), { authTagLength: 16 });
  const parts = [place.table, place.column, place.rowId, place.ownerId ?? '', key.digest];
  cipher.setAAD(
    Buffer.concat(
      parts.flatMap((part) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(Buffer.byteLength(part));
        return [length, Buffer.from(part)];
      }),
    ),
  );
  const ciphertext = [cipher.update(text, 'utf8'), cipher.final()];
  return `v1:${Buffer.concat([salt, commitment, ...ciphertext, cipher.getAuthTag()]).toString('base64url')}`;
}
