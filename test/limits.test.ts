import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatLimits, formatValue, LIMITS } from '../scripts/limits-document.ts';
import { readSources, type SourceFile } from '../scripts/source-files.ts';

/** Numbers that are called like limits, but that limit no caller, by what they are. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'how much of a text or list is shown or logged': [
    'domain/connections/token-refresh.ts MAX_REASON',
    'domain/oauth/token-endpoint-error.ts MAX_DESCRIPTION',
    'domain/server-files/complete-server.ts MAX_DESCRIPTION',
    'domain/catalogue/save-listing.ts MAX_AUDITED',
    'domain/server-files/diff-servers.ts MAX_ERROR_CHARACTERS',
    'domain/server-files/diff-servers.ts MAX_SHOWN_CHARACTERS',
    'domain/server-files/diff-servers.ts MAX_TOLD',
    'domain/server-files/field-reader.ts MAX_SHOWN_NAME',
    'domain/server-files/given-secrets.ts MAX_NOTES',
    'domain/server-files/parse-server-file.ts MAX_TOLD',
    'domain/validation/nearest-name.ts MAX_COMPARED',
    'graphql/declared-variables.ts maxErrors',
    'domain/governance/gateway-status.ts MAX_NAMED_SERVERS',
    'graphql/gateway-status/type.ts MAX_INT',
    'graphql/operation-report.ts MAX_LOGGED_NAME',
    'graphql/trusted-documents/load-trusted-documents.ts MAX_TOLD',
    'graphql/trusted-documents/read-manifests.ts MAX_SHOWN_KEY',
    'http/graphql-sockets.ts MAX_REASON_BYTES',
    'http/rest/json-body.ts MAX_SHOWN_NAME',
    'http/rest/query.ts MAX_SHOWN_NAME',
    'telemetry/metrics.ts MAX_LABEL_LENGTH',
    'telemetry/metrics.ts MAX_OPERATION_NAMES',
    'telemetry/metrics.ts MAX_SERVERS',
    'telemetry/open-telemetry.ts MAX_TEXT',
  ],
  'the patience of the command line': [
    'cli/admin-client.ts TIMEOUT_MS',
    'cli/audit.ts TIMEOUT_MS',
    'cli/servers.ts TIMEOUT_MS',
    'cli/transfer.ts TIMEOUT_MS',
  ],
  'the patience of the gateway with its database and itself': [
    'data/database/prisma.ts TRANSACTION_MAX_WAIT_MS',
    'data/database/prisma.ts TRANSACTION_TIMEOUT_MS',
    'data/database/server-database.ts CLOSE_TIMEOUT_MS',
    'data/database/server-database.ts CONNECTION_TIMEOUT_MS',
    'data/database/server-database.ts IDLE_IN_TRANSACTION_TIMEOUT_MS',
    'data/database/server-database.ts LOCK_TIMEOUT_MS',
    'data/database/server-database.ts STATEMENT_TIMEOUT_MS',
    'data/database/server-listener.ts ATTEMPT_TIMEOUT_MS',
    'data/database/server-listener.ts HEARTBEAT_TIMEOUT_MS',
    'data/database/server-listener.ts MAX_RETRY_MS',
    'data/database/server-sockets.ts MAX_SILENCE_MS',
    'data/database/server-sockets.ts MAX_UNANSWERED_MS',
    'data/memory/feed-reader.ts MAX_UNVERIFIED_MS',
    'data/memory/feed-reader.ts POLL_TIMEOUT_MS',
    'http/graphql-sockets.ts CLOSE_TIMEOUT_MS',
    'http/other-upgrades.ts CLOSE_TIMEOUT_MS',
    'telemetry/open-telemetry.ts CLOSE_TIMEOUT_MS',
  ],
  'when something is tried or looked up again': [
    'data/database/retries.ts MAX_DEADLOCKS',
    'data/keys/key-rotation.ts MAX_WALKS',
    'domain/configs/config-service.ts MAX_ATTEMPTS',
    'domain/connections/access-tokens.ts MAX_POLL_MS',
    'domain/connections/connection-flow.ts MAX_ATTEMPTS',
    'domain/connections/oauth-clients.ts MAX_WAIT_MS',
    'domain/connections/refresh-refusals.ts MAX_REFUSALS',
    'domain/connections/server-moves.ts MAX_WAIT_MS',
    'domain/connections/token-refresh.ts MAX_BACKOFF_MS',
    'domain/credentials/oidc-keys.ts MAX_AGE_MS',
    'domain/credentials/viewer-renewal.ts MAX_UNSEEN_MS',
  ],
  'how much of its own work the gateway does at once': ['domain/door/call-watch.ts MAX_DECIDING'],
  'how long browsers and others may keep something': [
    'http/app.ts maxAge',
    'http/oauth/flow-cookie.ts maxAge',
    'http/oauth/routes.ts METADATA_MAX_AGE_SECONDS',
    'http/host-cookie.ts maxAge',
    'http/sign-in/hint-cookie.ts maxAge',
    'http/sign-in/hint-cookie.ts maxAge',
  ],
  'how the limits of MCP servers are kept': [
    'domain/upstreams/server-test.ts MAX_RUNNING',
    'domain/catalogue/tool-listeners.ts MAX_PAUSE_MS',
    'domain/catalogue/tool-listing.ts MAX_ATTEMPTS',
    'domain/upstreams/upstream-calls.ts MAX_ATTEMPTS',
    'mcp/listen.ts maxSilenceMs',
    'mcp/retry-after.ts MAX_WAIT_MS',
    'mcp/inspect-answer.ts MAX_ANSWERS_OF_STREAM',
    'mcp/upstream-limits.ts END_SESSION_TIMEOUT_MS',
    'mcp/upstream-limits.ts MAX_REOPEN_MS',
    'mcp/upstream-session.ts NO_TIMEOUT_MS',
    'mcp/upstream-session.ts maxRetries',
    'outbound/stream-fetch.ts MAX_CONNECTIONS',
    'outbound/stream-fetch.ts maxHeaderSize',
  ],
  'how something works, which no caller meets': [
    'data/database/folder-lock.ts MAX_SOCKET_PATH',
    'domain/catalogue/tool-change.ts MAX_WORD_EDITS',
    'domain/server-files/match-servers.ts MAX_NUMBER',
    'domain/server-files/secret-template.ts MAX_GAPS',
    'graphql/encryption-key/mutations.ts DEFAULT_LIMIT',
    'http/door/door-handler.ts maxSubscriptions',
    'outbound/checked-connector.ts maxCachedSessions',
  ],
};

const sources = (await readSources(fileURLToPath(new URL('../src/', import.meta.url)))).filter(
  ({ name }) => !name.startsWith('limits/'),
);

/** Constants and properties that are called like limits and have a number of their own. */
function listNumbers({ name, text }: SourceFile): string[] {
  const constants = text.matchAll(
    /^\s*(?:export )?const ([A-Z_]*(?:MAX|LIMIT|TIMEOUT|CAPACITY)[A-Z_]*)\b[^=]*= ([^;]*);/gm,
  );
  const properties = text.matchAll(/\b(max[A-Z]\w*|capacity|perSecond): (\d[^,}]*)/g);
  return [...constants, ...properties]
    .filter(([, , value = '']) => /\d/.test(value) && !/_(?:LIMITS|BOUNDS)\./.test(value))
    .map(([, constant]) => `${name} ${constant}`);
}

test('docs/limits.md is current', () => {
  const document = readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8');
  expect(document, 'run `npm run generate`').toBe(formatLimits());
});

test('each limit is enforced by code that takes its value from here', () => {
  const text = sources.map((source) => source.text).join('\n');
  const unused = Object.entries(LIMITS).flatMap(([object, { limits }]) =>
    Object.keys(limits)
      // The values of quotas are settings.
      .map((key) => (object === 'QUOTAS' ? `quotas.${key}` : `${object}.${key}.value`))
      .filter((use) => !text.includes(use)),
  );
  expect(unused).toEqual([]);
});

describe('no limit is elsewhere', () => {
  test('in the code of the gateway', () => {
    expect(sources.flatMap(listNumbers).sort()).toEqual(Object.values(OTHERS).flat().sort());
  });

  test.each([
    ['const MAX_TITLE = 200;', 'MAX_TITLE'],
    ['export const MAX_TITLE: number = 2 * 100;', 'MAX_TITLE'],
    ['const OUTBOUND_TIMEOUT_MS = 10_000;', 'OUTBOUND_TIMEOUT_MS'],
    ['const GUESSES = { capacity: 100, perSecond: 1 };', 'capacity'],
    ['const LIMITS = {\n  maxStreams: 20_000,\n};', 'maxStreams'],
  ])('%s would be found', (text, name) => {
    expect(listNumbers({ name: 'x.ts', text, lines: 1 })).toContain(`x.ts ${name}`);
  });

  test('a value from the list is none', () => {
    const text =
      'const MAX_TITLE = FIELD_LIMITS.chatTitle.value;\nconst MAX_SHARES = CACHE_BOUNDS.shares.maxEntries - 1;';
    expect(listNumbers({ name: 'x.ts', text, lines: 1 })).toEqual([]);
  });
});

test.each([
  [4_000_000, 'bytes', '4 MB'],
  [262_144, 'bytes', '256 KiB'],
  [1_048_576, 'bytes', '1 MiB'],
  [500, 'MB', '500 MB'],
  [8_192, 'characters', '8,192 characters'],
  [200, 'ms', '200 ms'],
  [3_600_000, 'ms', '1 hour'],
  [604_800_000, 'ms', '7 days'],
  [12_000, 'ms', '12 seconds'],
] as const)('%d %s is shown as %s', (value, unit, text) => {
  expect(formatValue(value, unit)).toBe(text);
});
