import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { toDocumentError } from '../document-error.ts';

/** Gives syntax and validation errors their code, and takes the values out of them. */
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
