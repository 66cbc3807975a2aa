import { Secret } from '../../crypto/secret.ts';

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

/**
 * The placeholders that people and clients write. In the order of the groups: `${input:x}`, `${env:X}`, `${X}`; `{x}`
 * and `{{x}}`; `<x>`; `$X`; `YOUR_API_KEY`, `your-token`; `***`, `xxxx`, `...`. All repetitions are bounded, because
 * the text is untrusted.
 */
const PLACEHOLDER = new RegExp(
  [
    /\$\{([^{}]{1,100})\}/,
    /\{\{? ?([A-Za-z_][\w.:-]{0,79}(?: [\w.:-]{1,79}){0,5}) ?\}?\}/,
    /<([^<>]{1,80})>/,
    /(?<!\S)\$([A-Z][A-Z0-9_]{0,99})(?!\S)/,
    /(?<!\S)((?:[\w-]{0,40}YOUR|[Yy]our)[_-][\w-]{1,80})(?!\S)/,
    /(?<!\S)(\*{3,100}|[xX]{4,100}|\.{3,100}|…|\[redacted\])(?!\S)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/** What remains of `Bearer <token>` in documents that remove the token. */
const SCHEME_ALONE = /^\s*(?:Basic|Bearer|Token)\s*$/i;

/** A value with more placeholders is not a template. The whole value is asked for instead. */
const MAX_GAPS = 16;

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
  // For a malformed placeholder, such as a nested one, ask for the whole value instead of sending the rest.
  const isUnclear =
    text.trim() === '' ||
    parts.length > 2 * MAX_GAPS + 1 ||
    parts.some((part) => typeof part === 'string' && part.includes('${'));
  if (isUnclear) return [{ name: context.name }];
  return parts.filter((part) => part !== '').map((part) => (typeof part === 'string' ? new Secret(part) : part));
}

function toPart(text: string, match: RegExpMatchArray, context: TemplateContext): string | Slot | undefined {
  const [whole, dollarBraces, braces, angles, dollar, yours, blank] = match;
  if (dollarBraces !== undefined) return readDollarBraces(dollarBraces, context);
  if (dollar !== undefined || yours !== undefined) return { name: dollar ?? yours ?? context.name };
  if (blank !== undefined) return { name: context.name };
  const variable = braces === undefined ? undefined : context.variables?.get(braces);
  if (variable !== undefined) return variable.value ?? withFallback(braces ?? context.name, variable.fallback);
  // In the middle of a word it is part of a secret, and its name would be shown.
  const isInWord =
    /\w/.test(text[(match.index ?? 0) - 1] ?? '') || /\w/.test(text[(match.index ?? 0) + whole.length] ?? '');
  return isInWord ? undefined : { name: (braces ?? angles ?? '').trim() || context.name };
}

/** Shells and Claude Code write a default as `NAME:-default`. */
function readDollarBraces(inner: string, context: TemplateContext): Slot {
  const [, name, fallback] = /^\s*([A-Za-z_]\w*):-(.*)$/s.exec(inner) ?? [];
  return name === undefined ? { name: inner.trim() || context.name } : withFallback(name, fallback);
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
