import { Secret } from '../../crypto/secret.ts';
import { type FieldReader, isObject, toHeaderText } from './field-reader.ts';
import type { HeaderTemplate } from './imported-server.ts';
import { parseTemplate, type SecretTemplate } from './secret-template.ts';

/** The fields with headers, by name: most clients, Codex, LiteLLM, Open WebUI. */
const OBJECTS = [
  ...['headers', 'http_headers', 'httpHeaders', 'static_headers', 'staticHeaders', 'extra_headers', 'extraHeaders'],
  ...['custom_headers', 'customHeaders', 'additional_headers', 'additionalHeaders', 'defaultHeaders'],
];
/** The objects around them: the SDK's options, Continue. */
const AROUND = ['requestInit', 'request_init', 'requestOptions', 'request_options', 'transportOptions'];
/** The fields whose values are names of environment variables. */
const FROM_ENVIRONMENT = ['env_http_headers', 'envHttpHeaders', 'env_headers', 'envHeaders', 'headersFromEnv'];

const TOKEN_VARIABLES = ['bearer_token_env_var', 'bearerTokenEnvVar', 'bearer_token_env', 'tokenEnvVar', 'token_env'];
const TOKENS = [
  ...['bearerToken', 'bearer_token', 'authorization_token', 'authorizationToken', 'authToken', 'auth_token'],
  ...['accessToken', 'access_token', 'token', 'authorization'],
];

/** Headers of an entry, and notes about those that were left out. */
export interface ClientHeaders {
  headers: HeaderTemplate[];
  notes: string[];
}

/** Reads the headers of an entry, in every spelling that clients use, and its bearer token. */
export function readClientHeaders(reader: FieldReader): ClientHeaders {
  const notes: string[] = [];
  const headers: HeaderTemplate[] = [];
  const places: [FieldReader | null | undefined, string][] = [
    ...OBJECTS.map((name): [FieldReader, string] => [reader, name]),
    ...AROUND.filter((name) => isObject(reader.peek(name))).map((name): [FieldReader | null | undefined, string] => [
      reader.object(name),
      'headers',
    ]),
  ];
  for (const [place, field] of places) {
    const before = headers.length;
    // One place with the same header twice is a mistake, which the rules for configs report.
    for (const header of readHeaders(place, field, notes)) replace(headers, header, notes, before);
  }
  for (const field of FROM_ENVIRONMENT) {
    const variables = reader.object(field);
    for (const [name, variable] of variables?.entries() ?? []) {
      if (typeof variable === 'string')
        replace(headers, { name, template: [{ name: variable.trim() || name }] }, notes);
      else variables?.wrong(name, 'the name of an environment variable');
    }
  }
  const variable = reader.text(...TOKEN_VARIABLES);
  const token = reader.text(...TOKENS);
  if (token != null && token.trim() !== '') replace(headers, toBearer(token), notes);
  if (variable != null && variable.trim() !== '') {
    const template = [new Secret('Bearer '), { name: variable.trim() }];
    replace(headers, { name: 'Authorization', template }, notes);
  }
  return { headers, notes };
}

/** An `Authorization` header with a token. A text that has a scheme already is taken as it is. */
export function toBearer(token: string): HeaderTemplate {
  const text = /^\s*[A-Za-z][\w-]{1,20} +\S/.test(token) ? token.trim() : `Bearer ${token.trim()}`;
  return { name: 'Authorization', template: parseTemplate(text, { name: 'Authorization' }) };
}

/** Of two places for the same header, the more specific one counts: `bearer_token_env_var` before `http_headers`. */
function replace(headers: HeaderTemplate[], header: HeaderTemplate, notes: string[], end = headers.length): void {
  const before = headers.slice(0, end).findIndex(({ name }) => name.toLowerCase() === header.name.toLowerCase());
  if (before === -1) {
    headers.push(header);
    return;
  }
  headers[before] = header;
  notes.push(`Its header "${header.name}" is in the file twice; the one of its own field was used.`);
}

/** An object, a list of `{name, value}` or of `Name: value`, or one text of such lines or of JSON. */
function readHeaders(reader: FieldReader | null | undefined, field: string, notes: string[]): HeaderTemplate[] {
  const value = reader?.peek(field);
  if (reader == null || value === undefined || value === null) {
    reader?.take(field);
    return [];
  }
  if (isObject(value)) {
    const headers = reader.object(field);
    return Object.entries(value).flatMap(([name, content]) => {
      const template = toTemplate(name, content);
      if (template === undefined) headers?.wrong(name, 'text');
      return template === undefined ? [] : [{ name, template }];
    });
  }
  reader.take(field);
  const lines = typeof value === 'string' ? value.split(/\r?\n/).filter((line) => line.trim() !== '') : value;
  if (!Array.isArray(lines)) {
    reader.wrong(field, 'an object of header names and values');
    return [];
  }
  // LiteLLM's `extra_headers`: the headers that it passes on from its callers.
  if (lines.length > 0 && lines.every((line) => typeof line === 'string' && /^[\w-]+$/.test(line))) {
    notes.push(`Its "${field}" was ignored: the gateway passes no headers of its callers on.`);
    return [];
  }
  return lines.flatMap((line: unknown, index) => {
    const header = typeof line === 'string' ? parseHeaderLine(line) : toHeader(line);
    if (header === undefined) reader.wrong(`${field}[${index}]`, 'a header with a name and a value');
    return header === undefined ? [] : [header];
  });
}

/** `Name: value`. Undefined if it is not. */
export function parseHeaderLine(line: string): HeaderTemplate | undefined {
  const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*[:=]\s*(.*)$/s.exec(line) ?? [];
  return name === undefined ? undefined : { name, template: parseTemplate((value ?? '').trim(), { name }) };
}

function toHeader(value: unknown): HeaderTemplate | undefined {
  if (!isObject(value)) return undefined;
  const name = value['name'] ?? value['key'] ?? value['header'];
  if (typeof name !== 'string') return undefined;
  const template = toTemplate(name, value['value'] ?? null);
  return template === undefined ? undefined : { name, template };
}

function toTemplate(name: string, value: unknown): SecretTemplate | undefined {
  // If it has no value, the import asks for one.
  if (value === null) return [{ name }];
  const text = toHeaderText(value);
  if (text !== undefined) return parseTemplate(text, { name });
  if (!isObject(value)) return undefined;
  const variable = value['env'] ?? value['fromEnv'] ?? value['from_env'] ?? value['envVar'] ?? value['env_var'];
  if (typeof variable === 'string') return [{ name: variable.trim() || name }];
  const nested = toHeaderText(value['value']);
  return nested === undefined ? undefined : parseTemplate(nested, { name });
}
