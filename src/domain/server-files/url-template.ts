import type { TemplateVariable } from './secret-template.ts';

/** A URL without placeholders, or the name of the first placeholder without a value. */
export type FilledUrl = { url: string; usesDefaults: boolean } | { missing: string };

/**
 * `${X}`, `${{ x }}`, `{x}`, `{{x}}`, `<x>`, `$(X)`, `$X`, `%X%`, `YOUR-DOMAIN`, `os.environ/X`: none of them can appear
 * in a working URL. `%ab…` is an escape.
 */
const GAP = new RegExp(
  [
    /\$?\{\{{1,2}([^{}]{1,100})\}{2,3}/,
    /\$\{([^{}]{1,100})\}/,
    /\{([^{}]{1,100})\}/,
    /<([^<>]{1,80})>/,
    /\$\(([^()]{1,100})\)/,
    /\$([A-Z][A-Z0-9_]{1,99})/,
    /%((?![0-9A-Fa-f]{2})[A-Za-z_]\w{2,99})%/,
    /\b(YOUR[_-][A-Z0-9_-]{1,80})/,
    /^(?:os\.environ\/|(?:process\.)?env\.|env:)(\w{1,100})$/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

const QUERY_OF_SECRETS = /key|token|secret|passw|auth|credential/i;

const NO_VARIABLES: ReadonlyMap<string, TemplateVariable> = new Map();

/**
 * Fills the placeholders of a URL with values and defaults. A URL is not a secret, so the user is not asked for the
 * rest.
 */
export function fillUrl(text: string, variables = NO_VARIABLES): FilledUrl {
  let missing: string | undefined;
  let usesDefaults = false;
  const url = text.replace(GAP, (whole: string, ...groups: (string | undefined)[]) => {
    const inner = groups.slice(0, 9).find((group) => group !== undefined) ?? whole;
    const [, name = inner.trim(), inline] = /^\s*([A-Za-z_]\w*):-(.*)$/s.exec(inner) ?? [];
    const variable = variables.get(name);
    const fallback = variable?.fallback ?? inline;
    const value = variable?.value ?? fallback;
    if (value === undefined) missing ??= name;
    else if (variable?.value === undefined) usesDefaults = true;
    return value ?? whole;
  });
  return missing === undefined ? { url, usesDefaults } : { missing };
}

/** Why a server with a placeholder in its URL is skipped. */
export function explainGap(name: string): string {
  return `Its URL contains the placeholder "${name}": replace it in the file.`;
}

/** Notes about a filled URL. The URL is shown to everyone who may read the config. */
export function listUrlNotes({ url, usesDefaults }: { url: string; usesDefaults: boolean }): string[] {
  const notes: string[] = [];
  if (usesDefaults) notes.push("The URL's placeholders use the file's defaults.");
  const { searchParams, pathname } = URL.canParse(url) ? new URL(url) : new URL('https://none');
  const isSecretNamed = [...searchParams.keys()].some((name) => QUERY_OF_SECRETS.test(name));
  const values = [...searchParams.values(), ...pathname.split('/')];
  if (isSecretNamed || values.some(looksRandom)) {
    notes.push(
      'The URL seems to contain a secret. It is kept unchanged and shown to admins: use a header if the server supports it.',
    );
  }
  return notes;
}

/**
 * Whether a part of a URL looks like a secret: a long run of letters and digits that is no word. Such a path is all that
 * some servers check.
 */
function looksRandom(text: string): boolean {
  return text
    .slice(0, 2_048)
    .split(/[^A-Za-z0-9]+/)
    .some((run) => {
      if (run.length < 12) return false;
      const [digits, upper, lower] = [/[0-9]/g, /[A-Z]/g, /[a-z]/g].map((kind) => run.match(kind)?.length ?? 0);
      const hasDigits = (digits ?? 0) >= 2 && (digits ?? 0) < run.length;
      return hasDigits || (lower === 0 && (upper ?? 0) > 0) || ((upper ?? 0) >= 4 && (lower ?? 0) >= 4);
    });
}
