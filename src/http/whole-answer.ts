/** The sizes of answers in bytes. */
const lengths = new WeakMap<Response, number>();

/**
 * Creates an answer that is there as a whole, so that what comes after it need not read it to know its size.
 *
 * @param length in bytes, as UTF-8
 */
export function toWholeAnswer(
  body: string | Uint8Array<ArrayBuffer>,
  { status, headers, length }: { status: number; headers: Headers | Record<string, string>; length: number },
): Response {
  const response = new Response(body, { status, headers });
  lengths.set(response, length);
  return response;
}

/** The size of such an answer in bytes. Undefined for any other. */
export function findWholeLength(response: Response): number | undefined {
  return lengths.get(response);
}
