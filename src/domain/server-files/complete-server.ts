import { toShown } from './field-reader.ts';
import { fillTemplates, NOTHING_GIVEN } from './fill-secrets.ts';
import type { FoundServer, ImportedServer, SecretPlaceholder } from './imported-server.ts';
import { listDefaults, listSlots, type SecretTemplate } from './secret-template.ts';
import { toSlug } from './slug.ts';

/** As the rules have it. A name in a file may be longer: it was not made to be shown. */
const MAX_DISPLAY_NAME = 120;

/** A question is asked for each gap: what the file says of it is a sentence. */
const MAX_DESCRIPTION = 300;

/** A secret with what is known about its place. */
interface PlacedTemplate {
  field: SecretPlaceholder['field'];
  template: SecretTemplate;
  header?: string;
  /** What it is, when the file does not say. */
  what: string;
}

/** Makes a server of what a reader found: with its slug, the secrets that are in the file, and those to ask for. */
export function completeServer(found: FoundServer, slug: string): ImportedServer {
  const { name, plain, templates, assumed } = found;
  const displayName = [...name.trim()].slice(0, MAX_DISPLAY_NAME).join('') || slug;
  const placed = listPlaced(found);
  const defaults = new Set(placed.flatMap(({ template }) => listDefaults(template)));
  const notes = [
    ...found.notes,
    ...[...defaults].map((each) => `"${each}" has the file's default unless it is given.`),
  ];
  if (slug !== toSlug(name)) notes.push(`Another server has the slug "${toSlug(name)}": this one becomes "${slug}".`);
  return {
    name,
    input: { displayName, ...plain, slug, ...fillTemplates(templates, NOTHING_GIVEN, [slug]) },
    secrets: listPlaceholders(placed, found.descriptions),
    notes,
    templates,
    assumed,
  };
}

/** The gaps of all secrets; one that is in several headers is asked for once. */
function listPlaceholders(
  placed: readonly PlacedTemplate[],
  descriptions: FoundServer['descriptions'],
): SecretPlaceholder[] {
  const placeholders = placed.flatMap(({ field, template, header, what }) =>
    listSlots(template).map((placeholder) => ({
      field,
      placeholder,
      description: toShown(descriptions.get(placeholder) ?? descriptions.get(header ?? '') ?? what, MAX_DESCRIPTION),
      ...(header !== undefined && { header }),
    })),
  );
  const first = new Map(placeholders.toReversed().map((each) => [`${each.field} ${each.placeholder}`, each]));
  return placeholders.filter((each) => first.get(`${each.field} ${each.placeholder}`) === each);
}

function listPlaced({ templates, plain }: FoundServer): PlacedTemplate[] {
  const { oauth2ClientSecret, apiKeyValue, customHeaders = [], allCustomHeaders } = templates;
  const placed: PlacedTemplate[] = [];
  if (oauth2ClientSecret !== undefined) {
    placed.push({ field: 'oauth2ClientSecret', template: oauth2ClientSecret, what: 'The OAuth 2 client secret.' });
  }
  if (apiKeyValue !== undefined) placed.push(placeHeader('apiKeyValue', apiKeyValue, plain.apiKeyHeader ?? ''));
  placed.push(...customHeaders.map(({ name, template }) => placeHeader('customHeaders', template, name)));
  if (allCustomHeaders !== undefined) {
    const what = 'All custom headers, as a JSON object of names and values.';
    placed.push({ field: 'customHeaders', template: allCustomHeaders, what });
  }
  return placed;
}

function placeHeader(field: PlacedTemplate['field'], template: SecretTemplate, header: string): PlacedTemplate {
  const share = template.length > 1 ? 'The secret part of' : 'The value of';
  return header === ''
    ? { field, template, what: `${share} the header.` }
    : { field, template, header: toShown(header), what: `${share} the header "${toShown(header)}".` };
}
