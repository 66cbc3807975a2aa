/** What an object or array needs besides its values. */
const OBJECT_BYTES = 32;
/** What a value needs in an object or array. */
const SLOT_BYTES = 16;
/** A string with characters beyond Latin-1 needs two bytes for each. */
const CHARACTER_BYTES = 2;

/**
 * Estimates how much memory a value needs, in bytes. The estimate is high rather than low. Only for plain data without cycles:
 * rows, metadata, cursors.
 */
export function estimateBytes(value: unknown): number {
  if (typeof value === 'string') return OBJECT_BYTES + CHARACTER_BYTES * value.length;
  if (typeof value !== 'object' || value === null) return SLOT_BYTES;
  if (ArrayBuffer.isView(value)) return OBJECT_BYTES + value.byteLength;
  let bytes = OBJECT_BYTES;
  for (const each of Object.values(value)) bytes += SLOT_BYTES + estimateBytes(each);
  return bytes;
}
