import { type AnswerError, createError, type ErrorFacts, type GatehouseError } from './errors.ts';

/** What a GraphQL server answers. */
export interface Answer {
  data?: unknown;
  errors?: readonly AnswerError[];
}

/** Whether a value is a GraphQL answer. */
export function isAnswer(value: unknown): value is Answer {
  if (typeof value !== 'object' || value === null) return false;
  const { errors } = value as Answer;
  if (errors === undefined) return 'data' in value;
  return Array.isArray(errors) && errors.length > 0 && errors.every(isAnswerError);
}

function isAnswerError(value: unknown): value is AnswerError {
  return typeof value === 'object' && value !== null && typeof (value as AnswerError).message === 'string';
}

/** The error of an answer. @returns undefined if the answer has none */
export function findError(answer: Answer, facts: ErrorFacts = {}): GatehouseError | undefined {
  const [first] = answer.errors ?? [];
  if (first === undefined) return undefined;
  const code = first.extensions?.['code'];
  const seconds = first.extensions?.['retryAfterSeconds'];
  return createError(typeof code === 'string' ? code : 'ANSWER_INVALID', first.message, {
    ...facts,
    // Inside a stream, there are no header fields.
    retryAfterMs: facts.retryAfterMs ?? (typeof seconds === 'number' ? seconds * 1_000 : undefined),
    errors: answer.errors,
    data: answer.data,
  });
}

/** Reads the answer of a response. Throws if it has errors, or is none. */
export async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text().catch((cause: unknown) => {
    throw createError('CONNECTION_FAILED', 'The answer broke off.', { status: response.status, cause });
  });
  const facts = { status: response.status, retryAfterMs: readRetryAfter(response.headers) };
  const answer = parseJson(text);
  if (!isAnswer(answer)) throw createNoAnswer(facts);
  const error = findError(answer, facts);
  if (error !== undefined) throw error;
  if (!response.ok) throw createNoAnswer(facts);
  return answer.data;
}

function createNoAnswer(facts: ErrorFacts & { status: number }): GatehouseError {
  const code = facts.status === 429 ? 'RATE_LIMITED' : 'ANSWER_INVALID';
  return createError(code, `The answer with the status ${facts.status} is not one of a GraphQL server.`, facts);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. @returns milliseconds */
function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const ms = Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
