/**
 * Detects what people use instead of random bytes: few distinct values, a repeated pattern, or values at a fixed
 * distance such as `abcdefgh…`.
 *
 * @param minDistinct fewer distinct values than this are refused. Choose it so that random bytes practically always have
 *   more
 */
export function isRepetitive(bytes: Uint8Array, minDistinct: number): boolean {
  if (new Set(bytes).size < minDistinct) return true;
  const distances = bytes.subarray(1).map((byte, index) => (byte - (bytes[index] ?? 0)) & 0xff);
  return new Set(distances).size === 1 || hasPattern(bytes);
}

/** Whether it is one part, repeated at least twice. The last repetition may be cut off. */
function hasPattern(bytes: Uint8Array): boolean {
  for (let length = 1; length <= bytes.length / 2; length += 1) {
    if (bytes.every((byte, index) => byte === bytes[index % length])) return true;
  }
  return false;
}
