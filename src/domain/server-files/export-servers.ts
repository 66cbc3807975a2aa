import type { McpServerConfigRecord, ToolApproval } from '../../data/records.ts';
import { GATEHOUSE_VERSION } from './gatehouse-server.ts';
import { FIELD_KINDS, PLAIN_FIELDS, type PlainField, toGraphChoice } from './server-fields.ts';

/**
 * Exports configs as a file that `parseServerFile` can read: JSON, sorted by slug, deterministic. It contains all
 * fields, including empty ones, so that an import restores a config exactly. A stored secret becomes a placeholder such
 * as `${secret:apiKeyValue}`. Approvals of tools are names and digests. Data of this gateway only, such as ids and times, is left out.
 *
 * @param approvals by the config's id
 */
export function exportServers(
  configs: readonly McpServerConfigRecord[],
  approvals: ReadonlyMap<string, readonly ToolApproval[]> = new Map(),
): string {
  const sorted = configs.toSorted((left, right) => (left.slug < right.slug ? -1 : 1));
  const servers = Object.fromEntries(
    sorted.map((config) => [config.slug, toEntry(config, approvals.get(config.id) ?? [])]),
  );
  return `${JSON.stringify({ gatehouse: GATEHOUSE_VERSION, servers }, null, 2)}\n`;
}

function toEntry(config: McpServerConfigRecord, approvals: readonly ToolApproval[]): Record<string, unknown> {
  const plain = PLAIN_FIELDS.map((field) => [field, toJson(field, config[field])]);
  return {
    ...Object.fromEntries(plain),
    ...(approvals.length > 0 && { approvedTools: approvals.map(({ name, digest }) => ({ name, digest })) }),
    ...(config.hasOAuth2Secret && { oauth2ClientSecret: toPlaceholder('oauth2ClientSecret') }),
    ...(config.hasApiKey && { apiKeyValue: toPlaceholder('apiKeyValue') }),
    ...(config.hasCustomHeaders && { customHeaders: toPlaceholder('customHeaders') }),
  };
}

function toJson(field: PlainField, value: McpServerConfigRecord[PlainField]): unknown {
  const kind = FIELD_KINDS[field];
  if (kind.kind === 'choice') return toGraphChoice(String(value));
  return kind.kind === 'text' && kind.optional && value === '' ? null : value;
}

function toPlaceholder(field: string): string {
  return `\${secret:${field}}`;
}
