import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import { describeOutboundError } from './outbound-message.ts';

/** A JSON object by its fields, none of them checked. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** A document that was asked for. The messages are for an admin and have nothing of the answer. */
export type FetchedDocument =
  | { outcome: 'found'; fields: JsonFields }
  | { outcome: 'absent' | 'failed'; message: string };

/**
 * Fetches a metadata document. It is absent when the server says so (4xx) or when what is there is no such document:
 * many servers answer everything with a page. It failed when nothing can be said of it: no answer, or 5xx.
 *
 * The content type is not looked at: stores that serve files call JSON many things, and what makes a document true is
 * the identifier in it.
 *
 * @param options.subject who answers, e.g. `The authorization server`
 * @param options.key a field that every such document has, as text
 */
export async function fetchDocument(
  fetch: SafeFetch,
  url: string,
  { subject, key }: { subject: string; key: string },
): Promise<FetchedDocument> {
  let answer: Response;
  try {
    answer = await fetch(url, { headers: { accept: 'application/json' } });
  } catch (error) {
    return { outcome: 'failed', message: describeOutboundError(subject, error) };
  }
  const { status } = answer;
  if (status >= 500) return { outcome: 'failed', message: `${subject} answers with HTTP status ${status}.` };
  if (status !== 200) return { outcome: 'absent', message: `${subject} answers with HTTP status ${status}.` };
  const fields = parseJsonObject(await answer.text());
  if (fields === undefined) {
    return { outcome: 'absent', message: `${subject} does not answer with a JSON object.` };
  }
  if (typeof fields[key] !== 'string') {
    return { outcome: 'absent', message: `${subject} answers with a JSON object that has no "${key}".` };
  }
  return { outcome: 'found', fields };
}

/** The object that a text is in JSON; undefined for any other text. The parser's own message would quote the text. */
export function parseJsonObject(text: string): JsonFields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
