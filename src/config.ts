import path from 'node:path';
import ipaddr from 'ipaddr.js';
import { readOidcSettings } from './config/oidc-settings.ts';
import { readTracing } from './config/read-tracing.ts';
import { createSettingReader } from './config/setting-reader.ts';
import { findAdminTokenProblem } from './crypto/admin-token.ts';
import type { MasterKey } from './crypto/master-key.ts';
import { parseMasterKeys } from './crypto/parse-master-keys.ts';
import { Secret } from './crypto/secret.ts';
import { MCP_TOOL_APPROVALS, type McpToolApproval } from './data/records.ts';
import type { OidcSettings } from './domain/credentials/oidc-settings.ts';
import { EXPERIMENTS, type Experiment } from './domain/experiments.ts';
import { TOOL_CALL_AUDITS, type ToolCallAudit } from './domain/tool-calls/call-records.ts';
import { findNearestName } from './domain/validation/nearest-name.ts';
import { QUOTAS, type QuotaName, type Quotas } from './limits/quotas.ts';
import type { PrivateRange } from './outbound/private-ranges.ts';
import type { TracingSettings } from './telemetry/tracing-settings.ts';

/** The log levels: `fatal` logs the least, `trace` the most; `silent` turns the log off. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** A log level. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The validated settings. */
export interface Config {
  /** Listen address. */
  port: number;
  host: string;
  /** If absent, the embedded database in the data folder is used. */
  databaseUrl: Secret | undefined;
  dataDir: string;
  /** The base of all absolute URLs, without a trailing slash. */
  publicUrl: string;
  /** If absent, a token is generated at the first start and kept in the data folder. */
  adminToken: Secret | undefined;
  /** The first key seals, all keys open. If absent, the key file in the data folder is used. */
  encryptionKeys: MasterKey[] | undefined;
  experiments: ReadonlySet<Experiment>;
  allowedPrivateRanges: readonly PrivateRange[];
  /** Origins whose pages may send requests with credentials. */
  corsOrigins: readonly string[];
  trustedProxies: readonly PrivateRange[];
  /** Host names, besides the public URL's and loopback, that requests may be for. Spelled as in `URL.hostname`. */
  allowedHosts: readonly string[];
  oidc: OidcSettings | undefined;
  graphiql: boolean;
  /** The path of a manifest of trusted documents, or of a folder with manifests. */
  trustedDocuments: string | undefined;
  /** Whether all other documents are refused. */
  trustedDocumentsOnly: boolean;
  logLevel: LogLevel;
  /** Audit entries older than this are removed. If absent, all are kept. */
  auditRetentionDays: number | undefined;
  /** The longest life of a new API token. If absent, one need not expire. */
  apiTokenMaxDays: number | undefined;
  quotas: Quotas;
  /** How long the gateway accepts requests after the signal to stop. Load balancers notice meanwhile. */
  shutdownDelaySeconds: number;
  /** The limit for one tool call. */
  toolCallTimeoutSeconds: number;
  /** The limit for one answer of an MCP server. */
  toolAnswerMaxBytes: number;
  /** Hosts of MCP servers that get the traces of callers. Spelled as in `URL.hostname`. */
  traceContextHosts: readonly string[];
  /** How spans are recorded and sent. If absent, there are none. */
  tracing: TracingSettings | undefined;
  /** Whether MCP doors have a tool that tells which servers need something. */
  statusTool: boolean;
  /** Whether metrics have the slugs of servers, in place of their ids. */
  metricsServerNames: boolean;
  /** Which tool calls get an audit entry. */
  auditToolCalls: ToolCallAudit;
  /** Whether a new server pins its tools, if nothing else is said. */
  defaultToolApproval: McpToolApproval;
  /** About variables that look like settings but have no effect, for the operator. */
  warnings: readonly string[];
}

/** Reports all problems with the environment variables at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  /** @param warnings about unknown variables: a misspelled one may be the cause of a problem */
  constructor(problems: readonly string[], warnings: readonly string[] = []) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const lines = [...problems, ...warnings].map((each) => `  - ${each}`);
    super([`The environment has ${count}:`, ...lines].join('\n'));
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from the environment. No other code reads environment variables.
 *
 * @throws ConfigError with all problems; it never contains the value of a secret
 */
export function readConfig(env: Environment = process.env): Config {
  const problems: string[] = [];
  const tracingWarnings: string[] = [];
  const reader = createSettingReader(env, problems);
  const { text, list } = reader;

  const port = parsePort(text('PORT'), problems);
  const experiments = list('GATEHOUSE_EXPERIMENTS');
  const databaseUrl = parseDatabaseUrl(text('DATABASE_URL'), problems);
  const config: Config = {
    port,
    host: text('HOST') ?? '127.0.0.1',
    databaseUrl,
    dataDir: path.resolve(text('GATEHOUSE_DATA_DIR') ?? './.gatehouse'),
    publicUrl: parsePublicUrl(text('GATEHOUSE_PUBLIC_URL') ?? `http://localhost:${port}`, problems),
    adminToken: parseAdminToken(text('GATEHOUSE_ADMIN_TOKEN'), problems),
    encryptionKeys: parseKeys(text('GATEHOUSE_ENCRYPTION_KEYS'), databaseUrl !== undefined, problems),
    experiments: parseExperiments(env['GATEHOUSE_EXPERIMENTS'] === undefined ? ['agents'] : experiments, problems),
    allowedPrivateRanges: parseRanges(
      'GATEHOUSE_ALLOWED_PRIVATE_CIDRS',
      list('GATEHOUSE_ALLOWED_PRIVATE_CIDRS'),
      problems,
    ),
    corsOrigins: parseOrigins(list('GATEHOUSE_CORS_ORIGINS'), problems),
    allowedHosts: parseHosts('GATEHOUSE_ALLOWED_HOSTS', list('GATEHOUSE_ALLOWED_HOSTS'), problems),
    trustedProxies: parseRanges('GATEHOUSE_TRUSTED_PROXIES', list('GATEHOUSE_TRUSTED_PROXIES'), problems).filter(
      (range) => range.kind === 'cidr',
    ),
    oidc: readOidcSettings({
      reader,
      readBoolean: (name, byDefault) => parseBoolean(name, text(name), byDefault, problems),
      problems,
    }),
    graphiql: parseBoolean('GATEHOUSE_GRAPHIQL', text('GATEHOUSE_GRAPHIQL'), databaseUrl === undefined, problems),
    trustedDocuments: toPath(text('GATEHOUSE_TRUSTED_DOCUMENTS')),
    trustedDocumentsOnly: parseBoolean(
      'GATEHOUSE_TRUSTED_DOCUMENTS_ONLY',
      text('GATEHOUSE_TRUSTED_DOCUMENTS_ONLY'),
      false,
      problems,
    ),
    logLevel: parseChoice('GATEHOUSE_LOG_LEVEL', text('GATEHOUSE_LOG_LEVEL') ?? 'info', LOG_LEVELS, problems) ?? 'info',
    auditRetentionDays: parseDays('GATEHOUSE_AUDIT_RETENTION_DAYS', text, problems),
    apiTokenMaxDays: parseDays('GATEHOUSE_API_TOKEN_MAX_DAYS', text, problems),
    quotas: parseQuotas(text, problems),
    shutdownDelaySeconds: parseWhole(
      { name: 'GATEHOUSE_SHUTDOWN_DELAY_SECONDS', least: 0, most: 300, byDefault: databaseUrl === undefined ? 0 : 3 },
      text('GATEHOUSE_SHUTDOWN_DELAY_SECONDS'),
      problems,
    ),
    toolCallTimeoutSeconds: parseWhole(
      { name: 'GATEHOUSE_TOOL_CALL_TIMEOUT_SECONDS', least: 1, most: 600, byDefault: 60 },
      text('GATEHOUSE_TOOL_CALL_TIMEOUT_SECONDS'),
      problems,
    ),
    toolAnswerMaxBytes: parseWhole(
      { name: 'GATEHOUSE_TOOL_ANSWER_MAX_BYTES', least: 65_536, most: 67_108_864, byDefault: 4_194_304 },
      text('GATEHOUSE_TOOL_ANSWER_MAX_BYTES'),
      problems,
    ),
    traceContextHosts: parseHosts('GATEHOUSE_TRACE_CONTEXT_HOSTS', list('GATEHOUSE_TRACE_CONTEXT_HOSTS'), problems),
    tracing: readTracing(reader, tracingWarnings),
    statusTool: parseBoolean('GATEHOUSE_STATUS_TOOL', text('GATEHOUSE_STATUS_TOOL'), true, problems),
    metricsServerNames: parseBoolean(
      'GATEHOUSE_METRICS_SERVER_NAMES',
      text('GATEHOUSE_METRICS_SERVER_NAMES'),
      false,
      problems,
    ),
    auditToolCalls:
      parseChoice(
        'GATEHOUSE_AUDIT_TOOL_CALLS',
        text('GATEHOUSE_AUDIT_TOOL_CALLS') ?? 'all',
        TOOL_CALL_AUDITS,
        problems,
      ) ?? 'all',
    defaultToolApproval:
      parseChoice(
        'GATEHOUSE_DEFAULT_TOOL_APPROVAL',
        text('GATEHOUSE_DEFAULT_TOOL_APPROVAL') ?? 'auto',
        MCP_TOOL_APPROVALS,
        problems,
      ) ?? 'auto',
    warnings: [],
  };
  const warnings = [...listUnknownVariables(env, reader.known), ...tracingWarnings];
  if (problems.length > 0) throw new ConfigError(problems, warnings);
  return { ...config, warnings };
}

const PREFIX = 'GATEHOUSE_';

/** What Kubernetes sets in every pod for a service with the name `gatehouse`. */
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/;

/** Variables with our prefix that nothing reads: a misspelled setting would otherwise have no effect, silently. */
function listUnknownVariables(env: Environment, known: ReadonlySet<string>): string[] {
  const settings = new Map([...known].map((name) => [name.replace(PREFIX, ''), name]));
  return Object.keys(env)
    .filter((name) => name.toUpperCase().startsWith(PREFIX) && !known.has(name) && !isServiceLink(name, env[name]))
    .sort()
    .map((name) => {
      const nearest = findNearestName(name.slice(PREFIX.length), settings.keys());
      const hint = nearest === undefined ? '' : ` The nearest is ${settings.get(nearest)}.`;
      return `${name}: is not a setting and has no effect.${hint}`;
    });
}

function isServiceLink(name: string, value = ''): boolean {
  return SERVICE_LINK.test(name) || (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value));
}

function parsePort(text: string | undefined, problems: string[]): number {
  const port = text === undefined ? 4_000 : Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  problems.push('PORT: must be a whole number from 1 to 65535.');
  return 4_000;
}

function toPath(text: string | undefined): string | undefined {
  return text === undefined ? undefined : path.resolve(text);
}

function parseDays(name: string, text: (name: string) => string | undefined, problems: string[]): number | undefined {
  const given = text(name);
  if (given === undefined) return undefined;
  const days = Number(given);
  if (Number.isInteger(days) && days >= 1 && days <= 36_500) return days;
  problems.push(`${name}: must be a whole number of days from 1 to 36500.`);
  return undefined;
}

/** The highest value that any quota can be set to. What it counts still fits into the columns of the database. */
const HIGHEST_QUOTA = 1_000_000_000;

function parseQuotas(text: (name: string) => string | undefined, problems: string[]): Quotas {
  const entries = Object.entries(QUOTAS).map(([name, { setting, value }]) => {
    const given = text(setting);
    const quota = given === undefined ? value : Number(given);
    if (Number.isInteger(quota) && quota >= 1 && quota <= HIGHEST_QUOTA) return [name, quota] as const;
    problems.push(`${setting}: must be a whole number from 1 to ${HIGHEST_QUOTA}.`);
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as Record<QuotaName, number>;
}

function parseWhole(
  { name, least, most, byDefault }: { name: string; least: number; most: number; byDefault: number },
  text: string | undefined,
  problems: string[],
): number {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  problems.push(`${name}: must be a whole number from ${least} to ${most}.`);
  return byDefault;
}

function parseDatabaseUrl(text: string | undefined, problems: string[]): Secret | undefined {
  if (text === undefined) return undefined;
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) {
    problems.push('DATABASE_URL: must be a URL such as postgres://user:password@host:5432/database.');
  }
  return new Secret(text);
}

function parsePublicUrl(text: string, problems: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined && url.search === '' && url.hash === '' && url.username === '' && url.pathname === '/';
  if (!isPlain || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    problems.push('GATEHOUSE_PUBLIC_URL: must be an origin such as https://gatehouse.example.com, without a path.');
    return text;
  }
  return url.origin;
}

function parseAdminToken(text: string | undefined, problems: string[]): Secret | undefined {
  if (text === undefined) return undefined;
  const problem = findAdminTokenProblem(text);
  if (problem !== undefined) problems.push(`GATEHOUSE_ADMIN_TOKEN: ${problem}.`);
  return new Secret(text);
}

function parseKeys(text: string | undefined, isRequired: boolean, problems: string[]): MasterKey[] | undefined {
  if (text === undefined) {
    if (isRequired) {
      problems.push(
        'GATEHOUSE_ENCRYPTION_KEYS: is required with DATABASE_URL; generate a key with `gatehouse keys generate`.',
      );
    }
    return undefined;
  }
  const { keys, problems: found } = parseMasterKeys(text);
  problems.push(...found.map((problem) => `GATEHOUSE_ENCRYPTION_KEYS: ${problem}`));
  return keys;
}

function parseExperiments(names: readonly string[], problems: string[]): Set<Experiment> {
  const known = new Set<Experiment>();
  for (const name of names) {
    const experiment = parseChoice('GATEHOUSE_EXPERIMENTS', name, EXPERIMENTS, problems);
    if (experiment !== undefined) known.add(experiment);
  }
  return known;
}

function parseRanges(variable: string, entries: readonly string[], problems: string[]): PrivateRange[] {
  return entries.flatMap((entry): PrivateRange[] => {
    if (ipaddr.isValidCIDR(entry)) {
      const [address, prefixLength] = ipaddr.parseCIDR(entry);
      return [{ kind: 'cidr', address, prefixLength }];
    }
    if (ipaddr.isValid(entry)) {
      const address = ipaddr.parse(entry);
      return [{ kind: 'cidr', address, prefixLength: address.kind() === 'ipv4' ? 32 : 128 }];
    }
    const [, host, port] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):(\d{1,5})$/i.exec(entry) ?? [];
    if (
      variable === 'GATEHOUSE_ALLOWED_PRIVATE_CIDRS' &&
      host !== undefined &&
      Number(port) > 0 &&
      Number(port) < 65_536
    ) {
      return [{ kind: 'host', host: host.toLowerCase(), port: Number(port) }];
    }
    problems.push(`${variable}: "${entry}" is neither a CIDR range such as 10.0.0.0/8 nor an IP address.`);
    return [];
  });
}

function parseOrigins(entries: readonly string[], problems: string[]): string[] {
  return entries.flatMap((entry) => {
    if (URL.canParse(entry) && new URL(entry).origin === entry.replace(/\/$/, '')) return [new URL(entry).origin];
    problems.push(`GATEHOUSE_CORS_ORIGINS: "${entry}" is not an origin such as https://chat.example.com.`);
    return [];
  });
}

function parseHosts(name: string, entries: readonly string[], problems: string[]): string[] {
  return entries.flatMap((entry) => {
    const written = /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(entry) ? `[${entry}]` : entry;
    const url = URL.canParse(`http://${written}`) ? new URL(`http://${written}`) : undefined;
    // Without wildcards, which the URL parser would take for a name.
    if (url?.port === '' && /^(?:[\p{L}\p{N}._-]+|\[[^\]]+\])$/u.test(written)) return [url.hostname];
    problems.push(`${name}: "${entry}" is not a host such as gatehouse.internal or 10.0.0.5, without scheme and port.`);
    return [];
  });
}

function parseBoolean(name: string, text: string | undefined, byDefault: boolean, problems: string[]): boolean {
  if (text === undefined) return byDefault;
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  problems.push(`${name}: must be true or false.`);
  return byDefault;
}

function parseChoice<Choice extends string>(
  name: string,
  text: string,
  choices: readonly Choice[],
  problems: string[],
): Choice | undefined {
  const choice = choices.find((each) => each === text);
  if (choice === undefined) problems.push(`${name}: "${text}" is not one of ${choices.join(', ')}.`);
  return choice;
}
