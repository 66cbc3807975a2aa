const ASCII = 'latin1';

/** How the bytes of each kind of image begin. SVG is not: it is a document with scripts. */
const KINDS: readonly { type: string; isIn: (bytes: Buffer) => boolean }[] = [
  { type: 'image/png', isIn: (bytes) => bytes.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', ASCII)) },
  { type: 'image/jpeg', isIn: (bytes) => bytes.subarray(0, 3).equals(Buffer.from('\xff\xd8\xff', ASCII)) },
  { type: 'image/gif', isIn: (bytes) => /^GIF8[79]a$/.test(bytes.toString(ASCII, 0, 6)) },
  { type: 'image/webp', isIn: (bytes) => /^RIFF.{4}WEBP$/s.test(bytes.toString(ASCII, 0, 12)) },
  { type: 'image/avif', isIn: isAvif },
];

/**
 * The media type of an image, by its first bytes alone: what its server says about it is not trusted. Undefined for
 * everything that is not a PNG, JPEG, GIF, WebP or AVIF image.
 */
export function findImageType(bytes: Buffer): string | undefined {
  return KINDS.find(({ isIn }) => isIn(bytes))?.type;
}

/** A file type box whose brand, or one of the compatible brands after it, is AVIF's (ISO/IEC 14496-12, section 4.3). */
function isAvif(bytes: Buffer): boolean {
  if (bytes.length < 16 || bytes.toString(ASCII, 4, 8) !== 'ftyp') return false;
  const end = Math.min(bytes.readUInt32BE(0), bytes.length, 128);
  for (let at = 8; at + 4 <= end; at += 4) {
    // After the major brand comes its version.
    if (at !== 12 && ['avif', 'avis'].includes(bytes.toString(ASCII, at, at + 4))) return true;
  }
  return false;
}
