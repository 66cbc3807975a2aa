import type { ConfigInput } from '../configs/config-input.ts';
import { isReservedHeader } from '../validation/header.ts';
import { toShown } from './field-reader.ts';
import type { HeaderTemplate, SecretTemplates } from './imported-server.ts';

/** The credentials for a server, as given in a file. */
export interface Credentials {
  plain: ConfigInput;
  templates: SecretTemplates;
  notes: string[];
}

/**
 * One header becomes an API key, several become custom headers. The server receives the same either way. Headers that
 * the gateway sets itself are left out.
 */
export function toHeaderCredentials(headers: readonly HeaderTemplate[]): Credentials {
  const { kept, notes } = withoutReserved(headers);
  const [first] = kept;
  if (first === undefined) return { plain: { authType: 'none' }, templates: {}, notes };
  if (kept.length > 1) {
    return { plain: { authType: 'custom_headers' }, templates: { customHeaders: kept }, notes };
  }
  const plain = { authType: 'api_key', apiKeyHeader: first.name } as const;
  return { plain, templates: { apiKeyValue: first.template }, notes };
}

/** Adds the headers that are sent beside the OAuth 2 access token. */
export function withHeaders(oauth: Credentials, headers: readonly HeaderTemplate[]): Credentials {
  const { kept, notes } = withoutReserved(headers);
  const beside = kept.filter(({ name }) => name.toLowerCase() !== 'authorization');
  const lost = beside.length < kept.length ? ['Its header "Authorization" was left out: OAuth 2 sets it.'] : [];
  return {
    plain: oauth.plain,
    templates: { ...oauth.templates, ...(beside.length > 0 && { customHeaders: beside }) },
    notes: [...oauth.notes, ...notes, ...lost],
  };
}

function withoutReserved(headers: readonly HeaderTemplate[]): { kept: HeaderTemplate[]; notes: string[] } {
  const left = headers.filter(({ name }) => isReservedHeader(name));
  const names = [...new Set(left.map(({ name }) => `"${toShown(name)}"`))].join(', ');
  const notes = left.length === 0 ? [] : [`Left out, because the gateway sets it itself: ${names}.`];
  return { kept: headers.filter((header) => !left.includes(header)), notes };
}
