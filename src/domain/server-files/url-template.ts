import type { TemplateVariable } from './secret-template.ts';

/** A URL without gaps, or the name of the first gap that nothing fills. */
export type FilledUrl = { url: string; usesDefaults: boolean } | { missing: string };

/** `${X}`, `{x}`, `{{x}}`, `<x>`, `$X`, `YOUR-DOMAIN`: none of them can stand in a URL that works. */
const GAP = new RegExp(
  [
    /\$\{([^{}]{1,100})\}/,
    /\{\{?([^{}]{1,100})\}?\}/,
    /<([^<>]{1,80})>/,
    /\$([A-Z][A-Z0-9_]{1,99})/,
    /\b(YOUR[_-][A-Z0-9_-]{1,80})/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

const QUERY_OF_SECRETS = /key|token|secret|passw|auth|credential/i;

const NO_VARIABLES: ReadonlyMap<string, TemplateVariable> = new Map();

/** Puts values and defaults into the gaps of a URL. A URL is no secret, so nobody is asked for the rest. */
export function fillUrl(text: string, variables = NO_VARIABLES): FilledUrl {
  let missing: string | undefined;
  let usesDefaults = false;
  const url = text.replace(GAP, (whole: string, ...groups: (string | undefined)[]) => {
    const inner = groups.slice(0, 5).find((group) => group !== undefined) ?? whole;
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

/** Why a server with a gap in its URL is left out. */
export function explainGap(name: string): string {
  return `Its URL has the placeholder "${name}": write what belongs there into the file.`;
}

/** What a person should know about a URL that was filled; a URL is shown to those who may read the config. */
export function listUrlNotes({ url, usesDefaults }: { url: string; usesDefaults: boolean }): string[] {
  const notes: string[] = [];
  if (usesDefaults) notes.push("The URL's placeholders have the file's defaults.");
  const names = URL.canParse(url) ? [...new URL(url).searchParams.keys()] : [];
  if (names.some((name) => QUERY_OF_SECRETS.test(name))) {
    notes.push(
      'The URL seems to hold a secret. It is kept as it is and shown to admins: use a header if the server takes one.',
    );
  }
  return notes;
}
