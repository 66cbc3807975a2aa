import { DomainError, type ValidationIssue, validationFailed } from '../../errors.ts';
import type { McpServerBody } from './server-schemas.ts';

type Path = ValidationIssue['path'];

/** Converts the field names in a VALIDATION_FAILED error to those of the REST API. Returns other errors unchanged. */
export function toRestFieldNames(error: unknown, body: McpServerBody): unknown {
  if (!(error instanceof DomainError)) return error;
  const { issues } = error.details as { issues?: readonly ValidationIssue[] };
  if (error.code !== 'VALIDATION_FAILED' || issues === undefined) return error;
  return validationFailed(issues.map((issue) => ({ ...issue, path: toRestPath(issue.path, body) })));
}

function toRestPath([field, ...below]: Path, body: McpServerBody): Path {
  if (typeof field !== 'string') return [];
  // In REST, scopes are one string and headers are an object, so an index would be meaningless to the caller.
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
