import { envelop, useEngine, useSchema } from '@envelop/core';
import { type DocumentNode, type GraphQLError, Kind, parse, specifiedRules, validate } from 'graphql';
import { guardedSchema } from '../guarded-schema.ts';
import { MAX_DOCUMENT_BYTES } from '../plugins/use-document-memory.ts';
import { useLimits } from '../plugins/use-limits.ts';

/** Parses and validates as for a request. */
const getEnveloped = envelop({
  plugins: [useEngine({ parse, validate, specifiedRules }), useSchema(guardedSchema), useLimits()],
});

/** What is wrong with a document, for the operator. A request with it would fail for the same reasons. */
export function findDocumentProblems(text: string): string[] {
  if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES) return [`has more than ${MAX_DOCUMENT_BYTES / 1_024} KiB.`];
  const enveloped = getEnveloped({});
  try {
    const document: DocumentNode = enveloped.parse(text);
    if (!document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION)) return ['has no operation.'];
    return enveloped.validate(enveloped.schema, document).map(({ message }: GraphQLError) => message);
  } catch (error) {
    // The limits end parsing and validation by throwing.
    return [(error as Error).message];
  }
}
