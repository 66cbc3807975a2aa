import type { McpServerConfigRecord } from '../../data/records.ts';
import { DomainError, type ErrorCode, formatPath, type ValidationIssue } from '../../errors.ts';
import { type ConfigDraft, toDraft } from '../configs/config-draft.ts';
import { SECRET_FIELDS, type SecretField } from '../configs/config-input.ts';
import { Issues } from '../validation/issues.ts';
import { toShown } from './field-reader.ts';
import { fillSecrets, listMissing, NOTHING_GIVEN } from './fill-secrets.ts';
import type { ImportedServer, SecretPlaceholder, SkippedServer } from './imported-server.ts';
import type { MatchedServer } from './match-servers.ts';
import { FIELD_KINDS, PLAIN_FIELDS, type PlainField, toGraphChoice } from './server-fields.ts';

/** The change of a field. Both values are for display; for a secret they only say whether it is set. */
export interface FieldChange {
  field: PlainField | SecretField | 'approvedTools';
  /** Empty when there was no value. A list is JSON, a choice is spelled as in GraphQL. */
  before: string;
  /** Empty when no value remains. */
  after: string;
}

/** The effect of an import on one server of the file. */
export interface ServerDiff {
  kind: 'create' | 'update' | 'unchanged' | 'question' | 'skip';
  /** Null for a skipped server. */
  slug: string | null;
  /** The name in the file. */
  name: string;
  changes: FieldChange[];
  /** The secrets that are required before the server can be stored. */
  secretsMissing: SecretPlaceholder[];
  /** Notes for the user. For a skipped server, the reason. */
  notes: string[];
  /** Why the change cannot be made, or could not be. */
  error: ImportError | null;
}

/** Why a server cannot be imported. */
export interface ImportError {
  code: ErrorCode;
  /** All problems, with their fields. */
  message: string;
}

const STORED_FLAGS = {
  oauth2ClientSecret: 'hasOAuth2Secret',
  apiKeyValue: 'hasApiKey',
  customHeaders: 'hasCustomHeaders',
} as const satisfies Record<SecretField, keyof McpServerConfigRecord>;

/**
 * Compares a server of a file with its config. The rules for configs are not checked here; the config service does that.
 *
 * @param given the entered secrets of this server
 */
export function diffServer({ server, current, question }: MatchedServer, given = NOTHING_GIVEN): ServerDiff {
  const base = { slug: server.input.slug, name: server.name, secretsMissing: listMissing(server, given, current) };
  let draft: ConfigDraft;
  try {
    draft = toDraft(new Issues(), fillSecrets(server, given, current), current);
  } catch (error) {
    const kind = current === undefined ? 'create' : 'update';
    return { ...base, kind, changes: [], notes: server.notes, error: toImportError(error) };
  }
  const changes = [...diffPlain(draft, current), ...diffSecrets(draft, base.secretsMissing, current)];
  const notes = [...server.notes, ...explainKept(server, base.secretsMissing, draft)];
  if (question !== undefined && current !== undefined) {
    const asked = explainQuestion(current, question.freeSlug);
    return { ...base, kind: 'question', changes, notes: [asked, ...notes], error: null };
  }
  const kind = current === undefined ? 'create' : changes.length > 0 ? 'update' : 'unchanged';
  return { ...base, kind, changes, notes, error: null };
}

/** Adds to a difference what the approvals of the file do. */
export function withApprovals(diff: ServerDiff, { now, later }: { now: string[]; later: string[] }): ServerDiff {
  if (now.length + later.length === 0) return diff;
  const parts = [
    ...(now.length > 0 ? [`${now.length} now ${JSON.stringify(now)}`] : []),
    ...(later.length > 0 ? [`${later.length} when listed like this ${JSON.stringify(later)}`] : []),
  ];
  const changes = [...diff.changes, { field: 'approvedTools' as const, before: '', after: parts.join(', ') }];
  const wait = 'An approval counts only for a tool whose definition has the same digest, now or when it is listed.';
  const notes = later.length > 0 ? [...diff.notes, wait] : diff.notes;
  return { ...diff, kind: diff.kind === 'unchanged' ? 'update' : diff.kind, changes, notes };
}

/** The report about an entry that cannot be imported. */
export function toSkipped({ name, reason }: SkippedServer): ServerDiff {
  return { kind: 'skip', slug: null, name, changes: [], secretsMissing: [], notes: [reason], error: null };
}

/** An error of the domain as a part of the report. @throws the error itself if it is another one */
export function toImportError(error: unknown): ImportError {
  if (!(error instanceof DomainError)) throw error;
  const { issues = [] } = error.details as { issues?: readonly ValidationIssue[] };
  const told = issues.slice(0, MAX_TOLD).map(({ path, message }) => `${formatPath(path)}: ${message}`);
  const more = issues.length > MAX_TOLD ? [`And ${issues.length - MAX_TOLD} more.`] : [];
  return { code: error.code, message: told.length === 0 ? error.message : [...told, ...more].join(' ') };
}

const MAX_TOLD = 10;

function explainQuestion({ displayName, url }: McpServerConfigRecord, freeSlug: string): string {
  const origin = URL.canParse(url) ? new URL(url).origin : 'another URL';
  return (
    `This slug belongs to "${toShown(displayName)}" at ${origin}, which has another name and another origin. ` +
    `Answer UPDATE to change that server, or CREATE to add this one as "${freeSlug}".`
  );
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

const SIGNS = { create: '+', update: '~', unchanged: '=', question: '?', skip: '-' } as const;

const MAX_SHOWN_CHARACTERS = 200;
const MAX_ERROR_CHARACTERS = 2_000;

/**
 * Formats the differences for a terminal: a line per server and field, without colours, and a summary.
 *
 * @param fileNotes notes about the file as a whole
 */
export function formatDiff(diffs: readonly ServerDiff[], fileNotes: readonly string[] = []): string {
  const counts = new Map<ServerDiff['kind'], number>();
  for (const { kind } of diffs) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const count = (kind: ServerDiff['kind']) => counts.get(kind) ?? 0;
  const failed = diffs.filter(({ error }) => error !== null).length;
  const parts = [
    `${count('create')} to create`,
    `${count('update')} to update`,
    `${count('unchanged')} unchanged`,
    ...(count('question') > 0 ? [`${count('question')} to decide`] : []),
    `${count('skip')} skipped`,
  ];
  const summary = `${parts.join(', ')}.${failed > 0 ? ` ${failed} with errors.` : ''}`;
  return [...fileNotes.map((note) => `note: ${toPrintable(note)}`), ...diffs.flatMap(formatServer), summary, ''].join(
    '\n',
  );
}

function formatServer({ kind, slug, name, changes, secretsMissing, notes, error }: ServerDiff): string[] {
  const sign = SIGNS[kind];
  if (slug === null) {
    return [`${sign} ${toPrintable(name)}: ${notes.map((note) => toPrintable(note, MAX_ERROR_CHARACTERS)).join(' ')}`];
  }
  return [
    `${sign} ${slug}${name === slug ? '' : ` (${toPrintable(name)})`}`,
    ...changes.map((change) => `    ${formatChange(kind, change)}`),
    ...secretsMissing.map(
      ({ placeholder, description }) => `    needs ${toPrintable(placeholder)}: ${toPrintable(description)}`,
    ),
    ...(error === null ? [] : [`    error: ${error.code}: ${toPrintable(error.message, MAX_ERROR_CHARACTERS)}`]),
    ...notes.map((note) => `    note: ${toPrintable(note, MAX_ERROR_CHARACTERS)}`),
  ];
}

function formatChange(kind: ServerDiff['kind'], { field, before, after }: FieldChange): string {
  const show = (text: string) => (text === '' ? '(none)' : quoteText(field, text));
  return kind === 'create' ? `${field}: ${show(after)}` : `${field}: ${show(before)} -> ${show(after)}`;
}

function quoteText(field: FieldChange['field'], text: string): string {
  const isText = field in FIELD_KINDS && FIELD_KINDS[field as PlainField].kind === 'text';
  // A URL with a password is refused, but the report must not show it.
  const shown = text.replace(/\/\/[^/?#@\s]*@/g, '//[redacted]@');
  return toPrintable(isText ? `"${shown}"` : shown);
}

/** Converts untrusted text to one line without terminal control sequences and direction marks. */
function toPrintable(text: string, maxCharacters = MAX_SHOWN_CHARACTERS): string {
  const characters = [...text];
  const shown = characters.length > maxCharacters ? [...characters.slice(0, maxCharacters), '…'] : characters;
  return shown
    .join('')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (each) => `\\u{${each.codePointAt(0)?.toString(16) ?? ''}}`);
}
