import type { Plugin } from 'graphql-yoga';
import { DomainError } from '../../errors.ts';
import { viewerUserId } from '../../policy/viewer.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { GraphQLServerContext } from '../context.ts';
import { toRequestError } from '../mask-error.ts';
import { hashDocument } from '../trusted-documents/document-hash.ts';
import type { DocumentIds } from '../trusted-documents/document-ids.ts';

const NOT_TRUSTED =
  'This gateway takes only trusted documents, and this is none. Ask its operator to add it to GATEHOUSE_TRUSTED_DOCUMENTS.';

/**
 * Takes the document from its hash in a POST or GET request, and checks that it may be used. `onParse` also runs for messages
 * of WebSockets, so nothing is executed without it; `onParams` does not.
 */
export function useDocumentIds(ids: DocumentIds, log: Logger): Plugin<GraphQLServerContext> {
  const registering = new WeakMap<object, () => void>();
  return {
    onParams({ params, request, context }) {
      // Yoga reads only the parameters from the address that it knows.
      const fromAddress = request.method === 'GET' && {
        documentId: new URL(request.url).searchParams.get('documentId'),
      };
      const register = ids.resolve(Object.assign(params, fromAddress));
      if (register !== undefined) registering.set(context, register);
    },
    onParse({ params: { source }, context }) {
      const text = typeof source === 'string' ? source : source.body;
      if (ids.isAllowed(text)) return;
      const { requestId, viewer } = context;
      // The hash finds the document in a manifest of another version. The text may contain secrets.
      log.info({ requestId, userId: viewerUserId(viewer), hash: hashDocument(text) }, 'document not trusted');
      throw toRequestError(new DomainError('DOCUMENT_NOT_TRUSTED', NOT_TRUSTED), 403);
    },
    onValidate({ context }) {
      const register = registering.get(context);
      if (register === undefined) return undefined;
      return ({ valid }) => {
        if (valid) register();
      };
    },
  };
}
