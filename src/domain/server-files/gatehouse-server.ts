import { Secret } from '../../crypto/secret.ts';
import type { ConfigInput } from '../configs/config-input.ts';
import { type FieldReader, isObject } from './field-reader.ts';
import type { HeaderTemplate, ReadResult, SecretTemplates } from './imported-server.ts';
import { listSlots, parseTemplate } from './secret-template.ts';
import { FIELD_KINDS, type FieldKind, PLAIN_FIELDS, toGraphChoice } from './server-fields.ts';
import { toSlug } from './slug.ts';

/** Reads an entry of our own export: GraphQL field names; null clears a field. */
export function readGatehouseServer(reader: FieldReader, name: string): ReadResult {
  const plain: ConfigInput = {};
  for (const field of PLAIN_FIELDS) {
    const value = readField(reader, field, FIELD_KINDS[field]);
    if (value !== undefined) Object.assign(plain, { [field]: value });
  }
  if (plain.url == null) reader.require('url', 'Add the URL of the server.');
  const templates: SecretTemplates = {};
  for (const field of ['oauth2ClientSecret', 'apiKeyValue'] as const) {
    const text = reader.text(field);
    if (text === null || text === '') plain[field] = null;
    else if (text !== undefined) templates[field] = parseTemplate(text, { name: `secret:${field}` });
  }
  readCustomHeaders(reader, plain, templates);
  const ignored = reader.noteIgnored();
  const slug = toSlug(name);
  return {
    name,
    plain,
    templates,
    notes: [
      ...(slug === name ? [] : [`Its name is not a valid slug, so it becomes "${slug}".`]),
      ...(ignored === undefined ? [] : [ignored]),
    ],
    assumed: plain.displayName === undefined ? ['displayName'] : [],
    descriptions: new Map(),
  };
}

function readField(reader: FieldReader, field: string, kind: FieldKind): unknown {
  if (kind.kind === 'flag') return reader.flag(field);
  if (kind.kind === 'list') return reader.texts(field);
  const text = reader.text(field);
  if (kind.kind === 'text' || text == null) return text;
  const choice = text.toLowerCase();
  if (kind.choices.includes(choice)) return choice;
  const choices = kind.choices.map(toGraphChoice).join(', ');
  reader.issues.add([...reader.path, field], 'NOT_A_CHOICE', `Must be one of ${choices}.`);
  return undefined;
}

/** One placeholder for all headers, an object of names and values, or GraphQL's list of `{name, value}`. */
function readCustomHeaders(reader: FieldReader, plain: ConfigInput, templates: SecretTemplates): void {
  const value = reader.take('customHeaders')?.value;
  if (value === undefined) return;
  if (value === null) plain.customHeaders = null;
  else if (typeof value === 'string') {
    const template = parseTemplate(value, { name: 'secret:customHeaders' });
    // A literal is not a set of headers. The placeholder will be filled with one as JSON.
    if (template.some((part) => part instanceof Secret) || listSlots(template).length !== 1) {
      reader.wrong('customHeaders', 'an object of header names and values');
    } else templates.allCustomHeaders = template;
  } else {
    const headers = Array.isArray(value) ? readHeaderList(reader) : readHeaderObject(reader, value);
    if (headers.length > 0) templates.customHeaders = headers;
    else plain.customHeaders = [];
  }
}

function readHeaderList(reader: FieldReader): HeaderTemplate[] {
  return (reader.objects('customHeaders') ?? []).flatMap((header) => {
    const name = header.text('name');
    const value = header.text('value');
    if (name == null) header.require('name', 'Add the name of the header.');
    if (value == null) header.require('value', 'Add its value, or a placeholder for it.');
    return name == null || value == null ? [] : [{ name, template: parseTemplate(value, { name }) }];
  });
}

function readHeaderObject(reader: FieldReader, value: unknown): HeaderTemplate[] {
  if (!isObject(value)) reader.wrong('customHeaders', 'an object of header names and values');
  const headers = isObject(value) ? reader.object('customHeaders') : undefined;
  return (headers?.entries() ?? []).flatMap(([name, text]) => {
    if (typeof text === 'string') return [{ name, template: parseTemplate(text, { name }) }];
    headers?.wrong(name, 'text');
    return [];
  });
}
