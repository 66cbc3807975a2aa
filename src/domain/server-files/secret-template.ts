import { Secret } from '../../crypto/secret.ts';

/** A gap for a secret that the file does not hold. */
export interface Slot {
  /** What stands between the brackets in the file, e.g. `input:github_token` of `${input:github_token}`. */
  readonly name: string;
  /** Taken when nothing is given, e.g. `eu` of `${REGION:-eu}`. */
  readonly fallback?: Secret;
}

/** A secret text with gaps, e.g. `Bearer ${input:github_token}`. Without gaps it is the secret itself. */
export type SecretTemplate = readonly (Secret | Slot)[];

/** What a file says of a `{variable}` itself. */
export interface TemplateVariable {
  /** What it always is. */
  value?: string | undefined;
  /** What it is unless something else is given. */
  fallback?: string | undefined;
}

/** What is known about a text when it is read. */
export interface TemplateContext {
  /** The name of a gap that has none of its own, e.g. the header's. */
  name: string;
  variables?: ReadonlyMap<string, TemplateVariable>;
}

/**
 * What people and clients write where a secret belongs. In the order of the groups: `${input:x}`, `${env:X}`, `${X}`;
 * `{x}` and `{{x}}`; `<x>`; `$X`; `YOUR_API_KEY`, `your-token`; `***`, `xxxx`, `...`. All repetitions are bounded: the
 * text is a stranger's.
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

/** What is left of `Bearer <token>` in documents that drop the rest. */
const SCHEME_ALONE = /^\s*(?:Basic|Bearer|Token)\s*$/i;

/** A value with more gaps is no template, but something to be asked for as a whole. */
const MAX_GAPS = 16;

/** Reads a value of a file: literal text is wrapped as a secret at once, placeholders become gaps. */
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
  // Half a placeholder, such as one inside of another: the whole is asked for, rather than sending the rest of it.
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
  // In the middle of a word it is part of a secret: its name would be shown.
  const isInWord =
    /\w/.test(text[(match.index ?? 0) - 1] ?? '') || /\w/.test(text[(match.index ?? 0) + whole.length] ?? '');
  return isInWord ? undefined : { name: (braces ?? angles ?? '').trim() || context.name };
}

/** `NAME:-default` is how shells and Claude Code give a default. */
function readDollarBraces(inner: string, context: TemplateContext): Slot {
  const [, name, fallback] = /^\s*([A-Za-z_]\w*):-(.*)$/s.exec(inner) ?? [];
  return name === undefined ? { name: inner.trim() || context.name } : withFallback(name, fallback);
}

function withFallback(name: string, fallback: string | undefined): Slot {
  return fallback === undefined || fallback.trim() === '' ? { name } : { name, fallback: new Secret(fallback) };
}

/** The names of the gaps that have to be filled, each once. */
export function listSlots(template: SecretTemplate): string[] {
  const open = template.filter((part): part is Slot => !(part instanceof Secret) && part.fallback === undefined);
  return [...new Set(open.map(({ name }) => name))];
}

/** The names of the gaps that the file has a default for. */
export function listDefaults(template: SecretTemplate): string[] {
  return template.flatMap((part) => (part instanceof Secret || part.fallback === undefined ? [] : [part.name]));
}

/** Whether a secret was given for a gap. White space is none. */
export function isGiven(name: string, given: ReadonlyMap<string, Secret>): boolean {
  return (given.get(name)?.expose().trim() ?? '') !== '';
}

/** The secret with all gaps filled; undefined as long as one is open. */
export function fillTemplate(template: SecretTemplate, given: ReadonlyMap<string, Secret>): Secret | undefined {
  const texts = template.map((part) => {
    if (part instanceof Secret) return part.expose();
    return isGiven(part.name, given) ? given.get(part.name)?.expose().trim() : part.fallback?.expose();
  });
  return texts.includes(undefined) ? undefined : new Secret(texts.join(''));
}
