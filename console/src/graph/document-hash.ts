/** The SHA-256 that the build gave a document, in hexadecimal digits. The gateway of the same build knows the document by it. */
export function hashOf(document: object): string | undefined {
  const { __meta__: meta } = document as { __meta__?: { hash?: string } };
  return meta?.hash?.replace(/^sha256:/, '');
}
