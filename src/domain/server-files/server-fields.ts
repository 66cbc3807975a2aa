import {
  MCP_AUTH_TYPES,
  MCP_AVAILABILITIES,
  MCP_TOOL_APPROVALS,
  MCP_TRANSPORTS,
  OAUTH_CALLBACK_MODES,
  OAUTH_RESOURCE_MODES,
} from '../../data/records.ts';
import type { ConfigInput, SecretField } from '../configs/config-input.ts';

/** A field of a config that is not a secret. The slug is excluded because it identifies the config. */
export type PlainField = Exclude<keyof ConfigInput, SecretField | 'slug'>;

/** The type of a field. Empty `optional` text is null in GraphQL; choices are upper case there. */
export type FieldKind =
  | { kind: 'text'; optional: boolean }
  | { kind: 'list' }
  | { kind: 'flag' }
  | { kind: 'choice'; choices: readonly string[] };

const TEXT = { kind: 'text', optional: false } as const;
const OPTIONAL_TEXT = { kind: 'text', optional: true } as const;
const LIST = { kind: 'list' } as const;

/** All plain fields, in the order of files and diffs. */
export const FIELD_KINDS: Readonly<Record<PlainField, FieldKind>> = {
  displayName: TEXT,
  description: TEXT,
  iconUrl: OPTIONAL_TEXT,
  url: TEXT,
  transport: { kind: 'choice', choices: MCP_TRANSPORTS },
  enabled: { kind: 'flag' },
  availability: { kind: 'choice', choices: MCP_AVAILABILITIES },
  toolAllowList: LIST,
  toolDenyList: LIST,
  toolApproval: { kind: 'choice', choices: MCP_TOOL_APPROVALS },
  exposeResources: { kind: 'flag' },
  exposePrompts: { kind: 'flag' },
  authType: { kind: 'choice', choices: MCP_AUTH_TYPES },
  oauth2ClientId: OPTIONAL_TEXT,
  oauth2AuthUrl: OPTIONAL_TEXT,
  oauth2TokenUrl: OPTIONAL_TEXT,
  oauth2RevocationUrl: OPTIONAL_TEXT,
  oauth2Issuer: OPTIONAL_TEXT,
  oauth2Scopes: LIST,
  oauth2ResourceMode: { kind: 'choice', choices: OAUTH_RESOURCE_MODES },
  oauth2CallbackMode: { kind: 'choice', choices: OAUTH_CALLBACK_MODES },
  apiKeyHeader: OPTIONAL_TEXT,
};

/** The names of `FIELD_KINDS`, in its order. */
export const PLAIN_FIELDS = Object.keys(FIELD_KINDS) as readonly PlainField[];

/** A choice as spelled in GraphQL, e.g. `API_KEY`. */
export function toGraphChoice(choice: string): string {
  return choice.toUpperCase();
}
