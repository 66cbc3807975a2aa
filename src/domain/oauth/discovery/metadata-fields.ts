import type { z } from 'zod';

/**
 * Lists the fields of a document that are missing or have the wrong type. Only field names from the schema appear: a
 * loose object ignores other fields.
 *
 * @param subject the document, e.g. `The protected resource metadata`
 */
export function describeWrongFields(subject: string, error: z.ZodError): string {
  const names = new Set(error.issues.map(({ path }) => `"${String(path[0])}"`));
  return `${subject} has fields that are missing or of the wrong type: ${[...names].join(', ')}.`;
}
