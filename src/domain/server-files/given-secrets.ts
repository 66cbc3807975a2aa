import type { Secret } from '../../crypto/secret.ts';
import { suggestName } from '../validation/nearest-name.ts';
import { toShown } from './field-reader.ts';
import type { GivenSecrets } from './fill-secrets.ts';
import type { ImportedServer } from './imported-server.ts';
import type { ImportAnswer } from './match-servers.ts';
import { listDefaults, listSlots, type SecretTemplate } from './secret-template.ts';

/** A value for a placeholder of a file. */
export interface GivenSecret {
  slug: string;
  placeholder: string;
  value: Secret;
}

/** Nobody reads more. */
const MAX_NOTES = 20;

/** The values by slug. */
export function toGiven(secrets: readonly GivenSecret[]): Map<string, GivenSecrets> {
  const given = new Map<string, Map<string, Secret>>();
  for (const { slug, placeholder, value } of secrets) {
    const known = given.get(slug);
    if (known === undefined) given.set(slug, new Map([[placeholder, value]]));
    else known.set(placeholder, value);
  }
  return given;
}

/** Notes about values that no placeholder of the file has a use for, such as for a misspelled slug. */
export function listUnusedSecrets(servers: readonly ImportedServer[], secrets: readonly GivenSecret[]): string[] {
  const bySlug = new Map(servers.map((server) => [server.input.slug, listPlaceholders(server)]));
  const notes = secrets.flatMap(({ slug, placeholder }) => {
    const known = bySlug.get(slug);
    const name = toShown(known === undefined ? slug : placeholder);
    if (known === undefined)
      return [`A secret is for "${name}", which the file does not have.${suggestName(slug, bySlug.keys())}`];
    if (known.includes(placeholder)) return [];
    return [`"${slug}" has no placeholder "${name}": its secret is not used.${suggestName(placeholder, known)}`];
  });
  return limit(notes);
}

/** Notes about answers to questions that nobody asked. */
export function listUnusedAnswers(
  servers: readonly ImportedServer[],
  answers: ReadonlyMap<string, ImportAnswer>,
): string[] {
  const slugs = new Set(servers.map(({ input }) => input.slug));
  const unknown = [...answers.keys()].filter((slug) => !slugs.has(slug));
  return limit(
    unknown.map(
      (slug) => `An answer is for "${toShown(slug)}", which the file does not have.${suggestName(slug, slugs)}`,
    ),
  );
}

function listPlaceholders({ templates }: ImportedServer): string[] {
  const { oauth2ClientSecret, apiKeyValue, customHeaders = [], allCustomHeaders } = templates;
  const all: (SecretTemplate | undefined)[] = [oauth2ClientSecret, apiKeyValue, allCustomHeaders];
  return [...all, ...customHeaders.map(({ template }) => template)].flatMap((template) =>
    template === undefined ? [] : [...listSlots(template), ...listDefaults(template)],
  );
}

function limit(notes: readonly string[]): string[] {
  const unique = [...new Set(notes)];
  const more = unique.length - MAX_NOTES;
  return more > 0 ? [...unique.slice(0, MAX_NOTES), `And ${more} more.`] : unique;
}
