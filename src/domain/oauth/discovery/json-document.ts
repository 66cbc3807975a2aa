import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import { describeOutboundError } from './outbound-message.ts';

/** The fields of a JSON object, not validated. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** A requested document. The messages are for an admin and quote nothing from the response. */
export type FetchedDocument =
  | { outcome: 'found'; fields: JsonFields }
  | { outcome: 'absent' | 'failed'; message: string };

/**
 * Fetches a metadata document. It is absent when the server says so (4xx), or when the response is not such a document:
 * many servers answer every path with a page. It failed when there is no answer, or a 5xx.
 *
 * The content type is ignored: file servers label JSON in many ways. The identifier inside the document proves what it
 * is.
 *
 * @param options.subject the server, e.g. `The authorization server`
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
  if (status >= 500) return { outcome: 'failed', message: `${subject} answered with HTTP status ${status}.` };
  if (!answer.ok) return { outcome: 'absent', message: `${subject} answered with HTTP status ${status}.` };
  const fields = parseJsonObject(await answer.text());
  if (fields === undefined) {
    return { outcome: 'absent', message: `${subject} did not answer with a JSON object.` };
  }
  if (typeof fields[key] !== 'string') {
    return { outcome: 'absent', message: `${subject} answered with a JSON object that has no "${key}".` };
  }
  return { outcome: 'found', fields };
}

/** Parses a JSON object. Undefined for any other text. The parser's own message would quote the text. */
export function parseJsonObject(text: string): JsonFields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
