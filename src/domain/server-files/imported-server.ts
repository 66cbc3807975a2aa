import type { ToolApproval } from '../../data/records.ts';
import type { ConfigInput, SecretField } from '../configs/config-input.ts';
import type { SecretTemplate } from './secret-template.ts';

/**
 * The shape of a file: our export; the MCP registry's; `mcpServers` of most clients; `servers` of VS Code; `mcp_servers`
 * of Codex, LiteLLM and Anthropic; `mcp` of opencode; `context_servers` of Zed; `extensions` of Goose; a list, a map or
 * one server by itself.
 */
export type ServerFileFormat =
  | 'gatehouse'
  | 'registry'
  | 'mcp_json'
  | 'vscode'
  | 'mcp_servers'
  | 'opencode'
  | 'zed'
  | 'goose'
  | 'list'
  | 'map'
  | 'server';

/** A secret that must be entered before the server can be stored. */
export interface SecretPlaceholder {
  field: SecretField;
  /** The header that contains it. */
  header?: string;
  /** Its name in the file, and the key for entering it, e.g. `input:github_token` for `${input:github_token}`. */
  placeholder: string;
  /** A description for the user, from the file if it has one. */
  description: string;
}

/** A header whose value may contain placeholders. */
export interface HeaderTemplate {
  name: string;
  template: SecretTemplate;
}

/** The secrets of a server in the file. */
export interface SecretTemplates {
  oauth2ClientSecret?: SecretTemplate;
  apiKeyValue?: SecretTemplate;
  customHeaders?: readonly HeaderTemplate[];
  /** A single placeholder for all custom headers, filled with a JSON object: an export does not know their names. */
  allCustomHeaders?: SecretTemplate;
}

/**
 * Fields that the file does not mention. The assumed value is used for a new server, but does not change an existing
 * one.
 */
export type AssumedField = 'displayName' | 'transport' | 'authType';

/** A server of a file. All its secrets are wrapped. */
export interface ImportedServer {
  /** The name in the file. */
  name: string;
  /** The fields and secrets in the file. Secrets that must be entered are absent: see `fillSecrets`. */
  input: ConfigInput & { slug: string };
  /** The secrets that a new server needs. */
  secrets: SecretPlaceholder[];
  /** Notes for the user, e.g. about what was ignored. */
  notes: string[];
  /** For `fillSecrets`. */
  templates: SecretTemplates;
  /** For `fillSecrets`. */
  assumed: readonly AssumedField[];
  /** The tools that were approved where the file comes from. Absent for none. */
  approvals?: readonly ToolApproval[];
}

/** A server of a file that cannot be imported. */
export interface SkippedServer {
  name: string;
  reason: string;
}

/** The content of a file. */
export interface ParsedServerFile {
  format: ServerFileFormat;
  /** Notes about the file as a whole. */
  notes: string[];
  servers: ImportedServer[];
  skipped: SkippedServer[];
}

/** A server as read from its format, without a slug. */
export interface FoundServer {
  name: string;
  plain: ConfigInput;
  templates: SecretTemplates;
  notes: string[];
  assumed: readonly AssumedField[];
  /** The file's descriptions of its placeholders, by name. */
  descriptions: ReadonlyMap<string, string>;
  approvals?: readonly ToolApproval[];
}

/** The result of reading an entry: a server, a reason to skip it, or undefined when problems were reported. */
export type ReadResult = FoundServer | SkippedServer | undefined;
