import { z } from 'zod';

/**
 * Describes the wrong fields of a parsed document for an admin. Only field names of the gateway's schema appear: a
 * loose object ignores other fields.
 *
 * @param subject the document, e.g. `The protected resource metadata`
 */
export function describeWrongFields(subject: string, error: z.ZodError): string {
  const names = new Set(error.issues.map(({ path }) => `"${String(path[0])}"`));
  return `${subject} has fields that are missing or of the wrong type: ${[...names].join(', ')}.`;
}

/** An optional text. Null, empty text and other types count as absent: servers write all of them for "none". */
export const optionalText = z
  .unknown()
  .optional()
  .transform((value) => (typeof value === 'string' && value !== '' ? value : null));

/**
 * An optional list of names: a list, or one text with spaces between the names. Members of other types are left out. An
 * empty list and other types count as absent.
 */
export const optionalNames = z
  .unknown()
  .optional()
  .transform((value): string[] | null => {
    const list = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
    const names = list.filter((name): name is string => typeof name === 'string' && name !== '');
    return names.length > 0 ? names : null;
  });

/** An optional yes or no, also as text. Anything else counts as absent, which is no. */
export const optionalFlag = z
  .unknown()
  .optional()
  .transform((value) => value === true || value === 'true');
