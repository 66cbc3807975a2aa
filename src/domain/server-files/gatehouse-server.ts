import { Secret } from '../../crypto/secret.ts';
import { type ConfigInput, SECRET_FIELDS } from '../configs/config-input.ts';
import { Issues } from '../validation/issues.ts';
import { suggestName } from '../validation/nearest-name.ts';
import { readApprovedTools } from './approved-tools.ts';
import { FieldReader, isObject, toHeaderText, toShown } from './field-reader.ts';
import type { HeaderTemplate, ReadResult, SecretTemplates } from './imported-server.ts';
import { fileProblem, type Listing } from './listing.ts';
import { listSlots, parseTemplate } from './secret-template.ts';
import { FIELD_KINDS, type FieldKind, PLAIN_FIELDS, toGraphChoice } from './server-fields.ts';
import { toSlug } from './slug.ts';

/** The version of our own format. */
export const GATEHOUSE_VERSION = 1;

/** Lists the servers of our own export. Undefined if it is another file. */
export function listGatehouse(root: unknown): Listing | undefined {
  if (!isObject(root) || !Object.hasOwn(root, 'gatehouse')) return undefined;
  const reader = new FieldReader(new Issues(), [], root);
  if (reader.take('gatehouse')?.value !== GATEHOUSE_VERSION) {
    const message = `Must be ${GATEHOUSE_VERSION}, the format version that this gateway supports.`;
    throw fileProblem('NOT_SUPPORTED', message, ['gatehouse']);
  }
  const servers = reader.take('servers')?.value;
  if (!isObject(servers)) throw fileProblem('WRONG_TYPE', 'Must be an object of servers by slug.', ['servers']);
  const ignored = reader.describeIgnored();
  return {
    format: 'gatehouse',
    entries: Object.entries(servers).map(([name, value]) => ({
      name,
      path: ['servers', toShown(name)],
      value,
      read: (entry) => readGatehouseServer(entry, name),
    })),
    notes: ignored === undefined ? [] : [ignored],
  };
}

/** Reads an entry of our own export: GraphQL field names; null clears a field. */
function readGatehouseServer(reader: FieldReader, name: string): ReadResult {
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
  const approvals = readApprovedTools(reader);
  reader.take('slug');
  // In our own format an unknown field is a mistake, such as a misspelled deny list that would have no effect.
  for (const unknown of reader.unused()) {
    const message = `Is not a known field.${suggestName(unknown, [...PLAIN_FIELDS, ...SECRET_FIELDS, 'approvedTools'])}`;
    reader.issues.add([...reader.path, toShown(unknown)], 'UNKNOWN_FIELD', message);
  }
  const slug = toSlug(name);
  return {
    name,
    plain,
    templates,
    notes: [...(slug === name ? [] : [`Its name is not a valid slug, so it becomes "${slug}".`])],
    assumed: plain.displayName === undefined ? ['displayName'] : [],
    descriptions: new Map(),
    ...(approvals.length > 0 && { approvals }),
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
  return (headers?.entries() ?? []).flatMap(([name, content]) => {
    const text = toHeaderText(content);
    if (text !== undefined) return [{ name, template: parseTemplate(text, { name }) }];
    headers?.wrong(name, 'text');
    return [];
  });
}
