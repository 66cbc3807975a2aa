import { DomainError, type ValidationIssue, validationFailed } from '../../errors.ts';
import type { McpServerBody } from './server-schemas.ts';

type Path = ValidationIssue['path'];

/**
 * VALIDATION_FAILED with the fields named as they were sent. Other errors stay as they are.
 */
export function toSentNames(error: unknown, body: McpServerBody): unknown {
  if (!(error instanceof DomainError)) return error;
  const { issues } = error.details as { issues?: readonly ValidationIssue[] };
  if (error.code !== 'VALIDATION_FAILED' || issues === undefined) return error;
  return validationFailed(issues.map((issue) => ({ ...issue, path: toSentPath(issue.path, body) })));
}

function toSentPath([field, ...below]: Path, body: McpServerBody): Path {
  if (typeof field !== 'string') return [];
  // In REST the scopes are one text, and the headers an object: an index means nothing to the sender.
  if (field === 'oauth2Scopes') return ['oauth2_scopes'];
  if (field === 'customHeaders' && typeof below[0] === 'number') {
    const name = Object.keys(body.custom_headers ?? {})[below[0]];
    return name === undefined ? ['custom_headers'] : ['custom_headers', name];
  }
  return [toSnakeCase(field), ...below];
}

function toSnakeCase(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
