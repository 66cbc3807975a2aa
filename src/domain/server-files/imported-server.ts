import type { ConfigInput, SecretField } from '../configs/config-input.ts';
import type { SecretTemplate } from './secret-template.ts';

/** Whose format a file has: our export, `mcpServers` of most clients, VS Code's `servers`, the MCP registry's. */
export type ServerFileFormat = 'gatehouse' | 'mcp_json' | 'vscode' | 'registry';

/** A secret that has to be given before the server can be stored. */
export interface SecretPlaceholder {
  field: SecretField;
  /** The header that it goes into. */
  header?: string;
  /** Its name in the file and the key to give it by, e.g. `input:github_token` for `${input:github_token}`. */
  placeholder: string;
  /** What it is, for a person: the file's own words where it has some. */
  description: string;
}

/** A header whose value may have gaps. */
export interface HeaderTemplate {
  name: string;
  template: SecretTemplate;
}

/** The secrets of a server as the file has them. */
export interface SecretTemplates {
  oauth2ClientSecret?: SecretTemplate;
  apiKeyValue?: SecretTemplate;
  customHeaders?: readonly HeaderTemplate[];
  /** One gap for all custom headers, filled by a JSON object: an export does not know their names. */
  allCustomHeaders?: SecretTemplate;
}

/** Fields that the file says nothing of: right for a new server, and no reason to change one that is there. */
export type AssumedField = 'displayName' | 'transport' | 'authType';

/** A server of a file. Every secret in it is wrapped. */
export interface ImportedServer {
  /** Its name in the file. */
  name: string;
  /** What the file says, with the secrets that are in it. What is asked for is absent: see `fillSecrets`. */
  input: ConfigInput & { slug: string };
  /** What has to be given for a new server. */
  secrets: SecretPlaceholder[];
  /** What a person should know, e.g. what was left out. */
  notes: string[];
  /** For `fillSecrets`. */
  templates: SecretTemplates;
  /** For `fillSecrets`. */
  assumed: readonly AssumedField[];
}

/** A server of a file that cannot be imported. */
export interface SkippedServer {
  name: string;
  reason: string;
}

/** What a file holds. */
export interface ParsedServerFile {
  format: ServerFileFormat;
  servers: ImportedServer[];
  skipped: SkippedServer[];
}

/** A server as its format's reader found it, before it has a slug. */
export interface FoundServer {
  name: string;
  plain: ConfigInput;
  templates: SecretTemplates;
  notes: string[];
  assumed: readonly AssumedField[];
  /** What the file says about its placeholders, by name. */
  descriptions: ReadonlyMap<string, string>;
}

/** What a reader finds: a server, a reason against it, or mistakes that it has reported. */
export type ReadResult = FoundServer | SkippedServer | undefined;
