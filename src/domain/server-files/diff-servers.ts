import type { McpServerConfigRecord } from '../../data/records.ts';
import { type ConfigDraft, toDraft } from '../configs/config-draft.ts';
import { SECRET_FIELDS, type SecretField } from '../configs/config-input.ts';
import { Issues } from '../validation/issues.ts';
import { fillSecrets, type GivenSecrets, listMissing, NOTHING_GIVEN } from './fill-secrets.ts';
import type { ImportedServer, ParsedServerFile, SecretPlaceholder } from './imported-server.ts';
import { FIELD_KINDS, PLAIN_FIELDS, type PlainField, toGraphChoice } from './server-fields.ts';

/** What would happen to a field. Both sides are for a person; of a secret they say only whether there is one. */
export interface FieldChange {
  field: PlainField | SecretField;
  /** Empty when there was nothing. A list is JSON, a choice as the graph has it. */
  before: string;
  /** Empty when nothing is left. */
  after: string;
}

/** What an import would do with one server of the file. */
export interface ServerDiff {
  kind: 'create' | 'update' | 'unchanged' | 'skip';
  /** Null for a server that is skipped. */
  slug: string | null;
  /** Its name in the file. */
  name: string;
  changes: FieldChange[];
  /** What has to be given before it can be stored. */
  secretsMissing: SecretPlaceholder[];
  /** What a person should know; why, for a server that is skipped. */
  notes: string[];
}

const STORED_FLAGS = {
  oauth2ClientSecret: 'hasOAuth2Secret',
  apiKeyValue: 'hasApiKey',
  customHeaders: 'hasCustomHeaders',
} as const satisfies Record<SecretField, keyof McpServerConfigRecord>;

/**
 * What importing a file would do, in the file's order, what is skipped last. Servers are matched by slug. Nothing is
 * checked against the rules: the config service does that.
 *
 * @param given the secrets that were given, by slug
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

/** Of a new server, what is as usual goes without saying, but for these. */
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

/** Stored headers cannot be compared with those of a file, not even by their names. */
function explainKept(server: ImportedServer, missing: readonly SecretPlaceholder[], draft: ConfigDraft): string[] {
  const isKept =
    server.templates.customHeaders !== undefined &&
    draft.customHeaders.kind === 'keep' &&
    !missing.some(({ field }) => field === 'customHeaders');
  return isKept ? ["The stored headers stay, whatever the file's are: give the secrets to replace them."] : [];
}

const SIGNS = { create: '+', update: '~', unchanged: '=', skip: '-' } as const;

const MAX_SHOWN_CHARACTERS = 200;

/** The differences for a terminal: a line for each server and field, without colours, and what comes of it all. */
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

/** One line without what a terminal would obey, or what turns the direction of writing: the text is a stranger's. */
function toPrintable(text: string): string {
  const characters = [...text];
  const shown =
    characters.length > MAX_SHOWN_CHARACTERS ? [...characters.slice(0, MAX_SHOWN_CHARACTERS), '…'] : characters;
  return shown
    .join('')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (each) => `\\u{${each.codePointAt(0)?.toString(16) ?? ''}}`);
}
