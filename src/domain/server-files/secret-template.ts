import { Secret } from '../../crypto/secret.ts';
import { PLACEHOLDER, type PlaceholderGroups, REFERENCE } from './placeholders.ts';

/** A placeholder for a secret that is not in the file. */
export interface Slot {
  /** The text between the brackets in the file, e.g. `input:github_token` of `${input:github_token}`. */
  readonly name: string;
  /** The default, e.g. `eu` of `${REGION:-eu}`. */
  readonly fallback?: Secret;
}

/** A secret text with placeholders, e.g. `Bearer ${input:github_token}`. Without any it is the secret itself. */
export type SecretTemplate = readonly (Secret | Slot)[];

/** The file's definition of a `{variable}`. */
export interface TemplateVariable {
  /** A fixed value. */
  value?: string | undefined;
  /** The default value. */
  fallback?: string | undefined;
}

/** Information about a text, for parsing it. */
export interface TemplateContext {
  /** The name for an unnamed placeholder, e.g. the header's name. */
  name: string;
  variables?: ReadonlyMap<string, TemplateVariable>;
}

/** What remains of `Bearer <token>` in documents that remove the token. */
const SCHEME_ALONE = /^\s*(?:Basic|Bearer|Token)\s*$/i;

/** A value with more placeholders is not a template. The whole value is asked for instead. */
const MAX_GAPS = 16;

/** What remains of a malformed placeholder, such as a nested one: the rest must not be sent. */
const UNCLEAR = /\$\{|\$\(|\{\{/;

/** Parses a value from a file. Literal text is wrapped as a secret, placeholders become slots. */
export function parseTemplate(text: string, context: TemplateContext): SecretTemplate {
  if (SCHEME_ALONE.test(text)) return [new Secret(`${text.trim()} `), { name: context.name }];
  const parts: (string | Slot)[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    const part = toPart(text, match, context);
    if (part === undefined) continue;
    parts.push(text.slice(end, match.index), part);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  const isUnclear =
    text.trim() === '' ||
    parts.length > 2 * MAX_GAPS + 1 ||
    parts.some((part) => typeof part === 'string' && UNCLEAR.test(part));
  if (isUnclear) return [{ name: context.name }];
  return parts.filter((part) => part !== '').map((part) => (typeof part === 'string' ? new Secret(part) : part));
}

function toPart(text: string, match: RegExpMatchArray, context: TemplateContext): string | Slot | undefined {
  const groups: Partial<PlaceholderGroups> = match.groups ?? {};
  const { shell, doubled, command, reference, braced, angled, dollar, percent, sentence } = groups;
  if (shell !== undefined) return readShell(shell, context);
  if (doubled !== undefined) return { name: doubled.trim() || context.name };
  // A command may contain a secret, and a reference its place: only the name of a variable is shown.
  if (command !== undefined) return { name: /^\s*[A-Za-z_]\w*\s*$/.test(command) ? command.trim() : context.name };
  if (reference !== undefined) return { name: REFERENCE.exec(reference)?.[1] ?? context.name };
  const named = dollar ?? percent ?? sentence;
  if (named !== undefined) return { name: named };
  const variable = braced === undefined ? undefined : context.variables?.get(braced);
  if (variable !== undefined) return variable.value ?? withFallback(braced ?? context.name, variable.fallback);
  if (braced === undefined && angled === undefined) return { name: context.name };
  // In the middle of a word it is part of a secret, and its name would be shown.
  const at = match.index ?? 0;
  const isInWord = /\w/.test(text[at - 1] ?? '') || /\w/.test(text[at + match[0].length] ?? '');
  return isInWord ? undefined : { name: (braced ?? angled ?? '').trim() || context.name };
}

/** Shells and Claude Code write a default as `NAME:-default`, and a message for a missing value as `NAME:?message`. */
function readShell(inner: string, context: TemplateContext): Slot {
  const [, name, kind, rest] = /^\s*([A-Za-z_]\w*):([-?])(.*)$/s.exec(inner) ?? [];
  if (name === undefined) return { name: inner.trim() || context.name };
  return kind === '-' ? withFallback(name, rest) : { name };
}

function withFallback(name: string, fallback: string | undefined): Slot {
  return fallback === undefined || fallback.trim() === '' ? { name } : { name, fallback: new Secret(fallback) };
}

/** The names of the slots without a default, without duplicates. */
export function listSlots(template: SecretTemplate): string[] {
  const open = template.filter((part): part is Slot => !(part instanceof Secret) && part.fallback === undefined);
  return [...new Set(open.map(({ name }) => name))];
}

/** The names of the slots with a default in the file. */
export function listDefaults(template: SecretTemplate): string[] {
  return template.flatMap((part) => (part instanceof Secret || part.fallback === undefined ? [] : [part.name]));
}

/** Whether a value was entered for a slot. White space does not count. */
export function isGiven(name: string, given: ReadonlyMap<string, Secret>): boolean {
  return (given.get(name)?.expose().trim() ?? '') !== '';
}

/** Fills the slots of a secret. Undefined while one is open. */
export function fillTemplate(template: SecretTemplate, given: ReadonlyMap<string, Secret>): Secret | undefined {
  const texts = template.map((part) => {
    if (part instanceof Secret) return part.expose();
    return isGiven(part.name, given) ? given.get(part.name)?.expose().trim() : part.fallback?.expose();
  });
  return texts.includes(undefined) ? undefined : new Secret(texts.join(''));
}
