import { hash } from 'node:crypto';

/** A document identifier of GraphQL over HTTP, appendix "Persisted Documents": the prefix, and a SHA-256 in hex. */
const DOCUMENT_ID = /^sha256:([0-9a-f]{64})$/;
const HASH = /^[0-9a-f]{64}$/;

/** The SHA-256 of a document's text in UTF-8, in lower-case hex. */
export function hashDocument(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Whether a text is a SHA-256 in lower-case hex. */
export function isDocumentHash(text: string): boolean {
  return HASH.test(text);
}

/** The hash in a document identifier. Undefined if it is not a SHA-256 identifier. */
export function parseDocumentId(id: string): string | undefined {
  return DOCUMENT_ID.exec(id)?.[1];
}
