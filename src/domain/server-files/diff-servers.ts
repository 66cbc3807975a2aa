import type { McpServerConfigRecord } from '../../data/records.ts';
import { type ConfigDraft, toDraft } from '../configs/config-draft.ts';
import { SECRET_FIELDS, type SecretField } from '../configs/config-input.ts';
import { Issues } from '../validation/issues.ts';
import { fillSecrets, type GivenSecrets, listMissing, NOTHING_GIVEN } from './fill-secrets.ts';
import type { ImportedServer, ParsedServerFile, SecretPlaceholder } from './imported-server.ts';
import { FIELD_KINDS, PLAIN_FIELDS, type PlainField, toGraphChoice } from './server-fields.ts';

/** The change of a field. Both values are for display; for a secret they only say whether it is set. */
export interface FieldChange {
  field: PlainField | SecretField;
  /** Empty when there was no value. A list is JSON, a choice is spelled as in GraphQL. */
  before: string;
  /** Empty when no value remains. */
  after: string;
}

/** The effect of an import on one server of the file. */
export interface ServerDiff {
  kind: 'create' | 'update' | 'unchanged' | 'skip';
  /** Null for a skipped server. */
  slug: string | null;
  /** The name in the file. */
  name: string;
  changes: FieldChange[];
  /** The secrets that are required before the server can be stored. */
  secretsMissing: SecretPlaceholder[];
  /** Notes for the user. For a skipped server, the reason. */
  notes: string[];
}

const STORED_FLAGS = {
  oauth2ClientSecret: 'hasOAuth2Secret',
  apiKeyValue: 'hasApiKey',
  customHeaders: 'hasCustomHeaders',
} as const satisfies Record<SecretField, keyof McpServerConfigRecord>;

/**
 * Compares a file with the existing configs, in the file's order, with skipped servers last. Servers are matched by
 * slug. The rules for configs are not checked here; the config service does that.
 *
 * @param given the entered secrets, by slug
 * @throws VALIDATION_FAILED as `fillSecrets` does
 */
export function diffServers(
  file: Pick<ParsedServerFile, 'servers' | 'skipped'>,
  existing: readonly McpServerConfigRecord[],
  given: ReadonlyMap<string, GivenSecrets> = new Map(),
): ServerDiff[] {
  const bySlug = new Map(existing.map((config) => [config.slug, config]));
  const diffs = file.servers.map((server) => {
    const { slug } = server.input;
    return diffServer(server, bySlug.get(slug), given.get(slug) ?? NOTHING_GIVEN);
  });
  const skipped = file.skipped.map(
    ({ name, reason }): ServerDiff => ({
      kind: 'skip',
      slug: null,
      name,
      changes: [],
      secretsMissing: [],
      notes: [reason],
    }),
  );
  return [...diffs, ...skipped];
}

function diffServer(
  server: ImportedServer,
  current: McpServerConfigRecord | undefined,
  given: GivenSecrets,
): ServerDiff {
  const draft = toDraft(new Issues(), fillSecrets(server, given, current), current);
  const secretsMissing = listMissing(server, given, current);
  const changes = [...diffPlain(draft, current), ...diffSecrets(draft, secretsMissing, current)];
  const kind = current === undefined ? 'create' : changes.length > 0 ? 'update' : 'unchanged';
  const notes = [...server.notes, ...explainKept(server, secretsMissing, draft)];
  return { kind, slug: server.input.slug, name: server.name, changes, secretsMissing, notes };
}

/** For a new server, default values are not shown, except for these fields. */
const ALWAYS_SHOWN: ReadonlySet<string> = new Set(['transport', 'enabled', 'authType']);

function diffPlain(draft: ConfigDraft, current: McpServerConfigRecord | undefined): FieldChange[] {
  const blank = toDraft(new Issues(), {});
  return PLAIN_FIELDS.flatMap((field) => {
    const before = toText(field, (current ?? blank)[field]);
    const after = toText(field, draft[field]);
    if (current !== undefined) return before === after ? [] : [{ field, before, after }];
    return before === after && !ALWAYS_SHOWN.has(field) ? [] : [{ field, before: '', after }];
  });
}

function toText(field: PlainField, value: string | boolean | readonly string[]): string {
  if (typeof value === 'string') return FIELD_KINDS[field].kind === 'choice' ? toGraphChoice(value) : value;
  if (typeof value === 'boolean') return String(value);
  return value.length === 0 ? '' : JSON.stringify(value);
}

function diffSecrets(
  draft: ConfigDraft,
  missing: readonly SecretPlaceholder[],
  current: McpServerConfigRecord | undefined,
): FieldChange[] {
  return SECRET_FIELDS.flatMap((field) => {
    const isStored = current?.[STORED_FLAGS[field]] ?? false;
    const after = missing.some((each) => each.field === field)
      ? 'asked for'
      : describeChange(draft[field].kind, isStored);
    return after === undefined ? [] : [{ field, before: isStored ? 'set' : '', after }];
  });
}

function describeChange(kind: 'keep' | 'clear' | 'set', isStored: boolean): string | undefined {
  if (kind === 'set') return isStored ? 'will be replaced' : 'set';
  return kind === 'clear' && isStored ? 'will be cleared' : undefined;
}

/** Stored headers cannot be compared with those in a file, not even by name. */
function explainKept(server: ImportedServer, missing: readonly SecretPlaceholder[], draft: ConfigDraft): string[] {
  const isKept =
    server.templates.customHeaders !== undefined &&
    draft.customHeaders.kind === 'keep' &&
    !missing.some(({ field }) => field === 'customHeaders');
  return isKept ? ['The stored headers are kept, whatever the file contains: enter the secrets to replace them.'] : [];
}

const SIGNS = { create: '+', update: '~', unchanged: '=', skip: '-' } as const;

const MAX_SHOWN_CHARACTERS = 200;

/** Formats the differences for a terminal: a line per server and field, without colours, and a summary. */
export function formatDiff(diffs: readonly ServerDiff[]): string {
  const counts = new Map<ServerDiff['kind'], number>();
  for (const { kind } of diffs) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const count = (kind: ServerDiff['kind']) => counts.get(kind) ?? 0;
  const summary = `${count('create')} to create, ${count('update')} to update, ${count('unchanged')} unchanged, ${count('skip')} skipped.`;
  return [...diffs.flatMap(formatServer), summary, ''].join('\n');
}

function formatServer({ kind, slug, name, changes, secretsMissing, notes }: ServerDiff): string[] {
  const sign = SIGNS[kind];
  if (slug === null) return [`${sign} ${toPrintable(name)}: ${notes.map(toPrintable).join(' ')}`];
  return [
    `${sign} ${slug}${name === slug ? '' : ` (${toPrintable(name)})`}`,
    ...changes.map((change) => `    ${formatChange(kind, change)}`),
    ...secretsMissing.map(
      ({ placeholder, description }) => `    needs ${toPrintable(placeholder)}: ${toPrintable(description)}`,
    ),
    ...notes.map((note) => `    note: ${toPrintable(note)}`),
  ];
}

function formatChange(kind: ServerDiff['kind'], { field, before, after }: FieldChange): string {
  const show = (text: string) => (text === '' ? '(none)' : quoteText(field, text));
  return kind === 'create' ? `${field}: ${show(after)}` : `${field}: ${show(before)} -> ${show(after)}`;
}

function quoteText(field: FieldChange['field'], text: string): string {
  const isText = field in FIELD_KINDS && FIELD_KINDS[field as PlainField].kind === 'text';
  return toPrintable(isText ? `"${text}"` : text);
}

/** Converts untrusted text to one line without terminal control sequences and direction marks. */
function toPrintable(text: string): string {
  const characters = [...text];
  const shown =
    characters.length > MAX_SHOWN_CHARACTERS ? [...characters.slice(0, MAX_SHOWN_CHARACTERS), '…'] : characters;
  return shown
    .join('')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (each) => `\\u{${each.codePointAt(0)?.toString(16) ?? ''}}`);
}
