import type { HonoRequest } from 'hono';
import type { z } from 'zod';
import { locateSyntaxError } from '../../domain/validation/json-text.ts';
import { suggestName } from '../../domain/validation/nearest-name.ts';
import { DomainError, type ValidationIssue, validationFailed } from '../../errors.ts';
import { REQUEST_LIMITS } from '../../limits/request-limits.ts';
import { limitNesting } from '../limit-nesting.ts';
import { decodeUtf8, readLimitedBody } from '../limited-body.ts';
import { isJson } from '../media-type.ts';
import { HttpProblem } from '../problem.ts';
import type { DocumentedBody } from './operation.ts';

/** A list with a wrong type in each of its entries must not cause a response that is larger than the request. */
const MAX_ISSUES = REQUEST_LIMITS.issues.value;

const MAX_SHOWN_NAME = 64;

/**
 * Reads a JSON body and checks its fields and their types against the schema. Required fields may be missing: the domain
 * reports those, see `RestOperation`.
 *
 * @throws HttpProblem 415 for another media type, 413 if the body is too large, 400 if it is not UTF-8; VALIDATION_FAILED
 *   with the position of a JSON syntax error, or with all unknown fields and wrong types at once
 */
export async function readBody<Schema extends z.ZodObject>(
  request: HonoRequest,
  { schema, refused }: DocumentedBody<Schema>,
): Promise<Partial<z.output<Schema>>> {
  assertJson(request.header('Content-Type'));
  const json = parseJson(await readLimitedBody(request.raw));
  const result = schema.partial().safeParse(json);
  if (result.success) return result.data as Partial<z.output<Schema>>;
  const issues = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.slice(0, MAX_ISSUES).map((name) => toUnknownField(name, Object.keys(schema.shape), refused))
      : [toValidationIssue(issue)],
  );
  throw validationFailed(issues.slice(0, MAX_ISSUES));
}

function toUnknownField(
  name: string,
  known: readonly string[],
  refused: Readonly<Record<string, string>> = {},
): ValidationIssue {
  const path = [name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name];
  if (Object.hasOwn(refused, name)) return { path, code: 'NOT_SUPPORTED', message: refused[name] ?? '' };
  return { path, code: 'UNKNOWN_FIELD', message: `Is not a known field.${suggestName(name, known)}` };
}

function assertJson(contentType: string | undefined): void {
  if (isJson(contentType)) return;
  throw new HttpProblem(415, {
    message: 'Send the body as JSON, with the header "Content-Type: application/json".',
    code: 'VALIDATION_FAILED',
  });
}

function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(limitNesting(text));
  } catch {
    // The parser's message quotes the body, which can contain a secret, and does not always have the position.
    const at = locateSyntaxError(text);
    const where = at === undefined ? '' : `: see line ${at.line}, column ${at.column}`;
    throw new DomainError('VALIDATION_FAILED', `The body is not valid JSON${where}.`);
  }
}

const TYPE_DESCRIPTIONS: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a JSON object',
  record: 'a JSON object',
};

function toValidationIssue(issue: z.core.$ZodIssue): ValidationIssue {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'invalid_value') {
    return { path, code: 'NOT_A_CHOICE', message: `Must be one of ${issue.values.join(', ')}.` };
  }
  const expected = issue.code === 'invalid_type' ? TYPE_DESCRIPTIONS[issue.expected] : undefined;
  return { path, code: 'WRONG_TYPE', message: `Must be ${expected ?? 'of another type'}.` };
}
