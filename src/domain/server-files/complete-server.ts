import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import { toShown } from './field-reader.ts';
import { fillTemplates, NOTHING_GIVEN } from './fill-secrets.ts';
import type { FoundServer, ImportedServer, SecretPlaceholder } from './imported-server.ts';
import { listDefaults, listSlots, type SecretTemplate } from './secret-template.ts';
import { toSlug } from './slug.ts';

/** The limit of the config rules. Names in files may be longer, because they are not meant for display. */
const MAX_DISPLAY_NAME = FIELD_LIMITS.displayName.value;

/** Each placeholder becomes a question to the user, so its description is limited to a sentence. */
const MAX_DESCRIPTION = 300;

/** A secret with its field and header. */
interface PlacedTemplate {
  field: SecretPlaceholder['field'];
  template: SecretTemplate;
  header?: string;
  /** A description for placeholders that the file does not describe. */
  what: string;
}

/** Completes a server found by a reader: adds its slug, the secrets in the file, and the placeholders to fill. */
export function completeServer(found: FoundServer, slug: string): ImportedServer {
  const { name, plain, templates, assumed } = found;
  const displayName = [...name.trim()].slice(0, MAX_DISPLAY_NAME).join('') || slug;
  const placed = listPlaced(found);
  const defaults = new Set(placed.flatMap(({ template }) => listDefaults(template)));
  const notes = [
    ...found.notes,
    ...[...defaults].map((each) => `"${each}" uses the file's default unless you enter a value.`),
  ];
  if (slug !== toSlug(name)) notes.push(`Another server has the slug "${toSlug(name)}", so this one gets "${slug}".`);
  return {
    name,
    input: { displayName, ...plain, slug, ...fillTemplates(templates, NOTHING_GIVEN, [slug]) },
    secrets: listPlaceholders(placed, found.descriptions),
    notes,
    templates,
    assumed,
    ...(found.approvals !== undefined && { approvals: found.approvals }),
  };
}

/** The placeholders of all secrets. One that appears in several headers is listed once. */
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
    const what = 'All custom headers, as a JSON object that maps names to values.';
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
