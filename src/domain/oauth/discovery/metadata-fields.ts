import type { z } from 'zod';

/**
 * Tells which fields of a document are missing or of another type. Only the names of fields that the schema asks for
 * appear: a loose object does not look at others.
 *
 * @param subject what the document is, e.g. `The protected resource metadata`
 */
export function describeWrongFields(subject: string, error: z.ZodError): string {
  const names = new Set(error.issues.map(({ path }) => `"${String(path[0])}"`));
  return `${subject} has fields that are missing or of the wrong type: ${[...names].join(', ')}.`;
}
