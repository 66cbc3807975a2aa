import type { Plugin } from 'graphql-yoga';
import type { GraphQLServerContext } from '../context.ts';
import type { DocumentIds } from '../trusted-documents/document-ids.ts';

/** Takes the document from its hash in a POST or GET request. Messages of WebSockets do not pass here. */
export function useDocumentIds(ids: DocumentIds): Plugin<GraphQLServerContext> {
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
    onValidate({ context }) {
      const register = registering.get(context);
      if (register === undefined) return undefined;
      return ({ valid }) => {
        if (valid) register();
      };
    },
  };
}
