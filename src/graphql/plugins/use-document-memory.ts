import type { DocumentNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { validationFailed } from '../../errors.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import type { GraphQLServerContext } from '../context.ts';
import type { DocumentMemory } from '../document-memory.ts';
import { toRequestError } from '../mask-error.ts';

/** Maximum size of a document, in bytes. */
export const MAX_DOCUMENT_BYTES = OPERATION_LIMITS.document.value;

/**
 * Refuses documents that are too large, and parses and validates the others once. Yoga's own cache counts documents and
 * not their bytes, and keeps invalid ones.
 */
export function useDocumentMemory(documents: DocumentMemory): Plugin<GraphQLServerContext> {
  /** As long as it is kept. */
  const valid = new WeakSet<DocumentNode>();
  return {
    onParse({ params: { source }, setParsedDocument }) {
      const text = typeof source === 'string' ? source : source.body;
      if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES) throw tooLong();
      const known = documents.find(text);
      if (known !== undefined) setParsedDocument(known);
    },
    onValidate({ context, params: { documentAST }, setResult }) {
      // For them, another rule applies: see `useIntrospectionGuard`.
      if (context.viewer.kind === 'nobody') return;
      if (valid.has(documentAST)) {
        setResult([]);
        return;
      }
      return ({ valid: isValid }) => {
        if (!isValid) return;
        valid.add(documentAST);
        documents.keep(documentAST);
      };
    },
  };
}

function tooLong() {
  const message = `Has more than ${MAX_DOCUMENT_BYTES / 1_024} KiB.`;
  return toRequestError(validationFailed([{ path: ['query'], code: 'TOO_LONG', message }]), 400);
}
