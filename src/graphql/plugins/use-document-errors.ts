import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { toDocumentError } from '../document-error.ts';

/** Adds the error code to syntax and validation errors and removes values from their messages. */
export function useDocumentErrors(): Plugin {
  return {
    onParse() {
      return ({ result, replaceParseResult }) => {
        if (result instanceof GraphQLError) replaceParseResult(toDocumentError(result));
      };
    },
    onValidate() {
      return ({ valid, result, setResult }) => {
        if (!valid) setResult((result as readonly GraphQLError[]).map(toDocumentError));
      };
    },
  };
}
