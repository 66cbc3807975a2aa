import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readSources, type SourceFile } from '../scripts/source-files.ts';
import { CACHE_BOUNDS } from '../src/limits/cache-bounds.ts';

// What lives longer than a request is kept with `Caches`, which counts and lists it, or is in this list with what bounds
// it. A new table that is in neither could grow until the process ends.

type Bound = { cache: keyof typeof CACHE_BOUNDS } | string;

const CONNECTIONS =
  'one entry for each open stream or WebSocket connection, which are limited for each user and process';
const OPERATIONS = 'one entry for each operation in progress, which are limited for each caller';
const REQUEST = 'the object lives as long as one request, whose size is limited';

/** Each long-lived table: the cache that lists it, or what else bounds it. Weak tables keep nothing alive. */
const BOUNDS: Readonly<Record<string, Bound>> = {
  'cache/bounded-map.ts #entries': 'the limits of the cache that it is',
  'cache/caches.ts all': 'one entry for each cache',
  'cache/promise-cache.ts #pending': OPERATIONS,
  'config/setting-reader.ts given': 'one entry for each setting',
  'config/setting-reader.ts known': 'one entry for each setting',
  'crypto/keyring.ts #byDigest': 'one entry for each master key, which operators add',
  'data/database/server-sockets.ts sockets': 'one entry for each connection of the pool',
  'data/memory/change-buffer.ts changes': { cache: 'changes' },
  'data/memory/change-buffer.ts sizes': { cache: 'changes' },
  'data/memory/config-snapshot.ts all': { cache: 'configs' },
  'data/memory/config-snapshot.ts byId': { cache: 'configs' },
  'data/memory/config-snapshot.ts bySlug': { cache: 'configs' },
  'data/memory/config-snapshot.ts enabled': { cache: 'configs' },
  'data/memory/config-snapshot.ts meanwhile': 'what changes while the configs are read, once',
  'data/memory/waiters.ts due': CONNECTIONS,
  'data/memory/waiters.ts waiting': CONNECTIONS,
  'data/migrations/schema-engine.ts timers': 'those of the engine that runs: one at a time, and it ends them',
  'domain/audit/denial-sources.ts sources': { cache: 'denials' },
  'domain/catalogue/list-when-needed.ts running': OPERATIONS,
  'domain/catalogue/listing-places.ts beside': 'A limited number: the oldest makes room for the next.',
  'domain/catalogue/told-changes.ts pauses': 'As many as there may be connections: no more are added.',
  'domain/catalogue/tool-listeners.ts heard': 'As many as there may be heard servers: no more are added.',
  'domain/credentials/attempts-under-way.ts #byNetwork': OPERATIONS,
  'domain/connections/access-tokens.ts refreshing': OPERATIONS,
  'domain/connections/server-moves.ts running': OPERATIONS,
  'domain/connections/token-revocation.ts running':
    'one entry for each deletion or change that ends connections, and each ends by its timeouts',
  'domain/credentials/viewer-renewal.ts looks': CONNECTIONS,
  'domain/door/call-watch.ts byConfig': OPERATIONS,
  'domain/door/call-watch.ts due': OPERATIONS,
  'domain/feed/places.ts perUser': CONNECTIONS,
  'domain/feed/stream-registry.ts open': CONNECTIONS,
  'domain/icons/icon-service.ts waiting': OPERATIONS,
  'domain/server-files/field-reader.ts #read': REQUEST,
  'domain/server-files/tool-lists.ts #denied': REQUEST,
  'domain/shares/fair-semaphore.ts queues': CONNECTIONS,
  'domain/shares/operation-shares.ts shares': { cache: 'shares' },
  'domain/shares/window-counts.ts #windows': 'the limit of the cache that it is',
  'domain/tool-calls/call-tallies.ts #callers': 'up to a limit, from which on calls are not counted',
  'domain/tool-calls/call-tallies.ts #hours': 'up to a limit, from which on calls are not counted',
  'domain/tool-calls/call-records.ts waiting': 'up to a limit, from which on calls wait, and the calls under way',
  'domain/validation/issues.ts #found': 'at most 100 problems',
  'domain/validation/json-text.ts #open': REQUEST,
  'graphql/answer-memory.ts pending': OPERATIONS,
  'graphql/budget/paced-items.ts waiting': OPERATIONS,
  'graphql/connection/own-connections.ts known': OPERATIONS,
  'graphql/budget/time-slices.ts waiting': OPERATIONS,
  'graphql/document-memory.ts bytesByUser': { cache: 'subscriptionDocuments' },
  'graphql/document-memory.ts held': { cache: 'subscriptionDocuments' },
  'http/door/running-calls.ts running': CONNECTIONS,
  'http/door/unread-answers.ts perUser': CONNECTIONS,
  'http/graphql-sockets.ts open': CONNECTIONS,
  'http/health-routes.ts failing': 'one entry for each readiness check',
  'http/playground/assets.ts loaded': 'one entry for each asset of the build',
  'http/stranger-places.ts networks': { cache: 'strangers' },
  'mcp/call-slots.ts queues': OPERATIONS,
  'mcp/circuit.ts servers': 'at most MAX_REMEMBERED servers, and the oldest go',
  'mcp/guarded-transport.ts #pending': OPERATIONS,
  'mcp/revision-memory.ts known': 'at most MAX_REMEMBERED servers, and the oldest go',
  'mcp/upstream-pool.ts all': 'at most MAX_CONNECTIONS connections, and those that running operations still use',
  'mcp/upstream-pool.ts entries': 'at most MAX_CONNECTIONS connections',
  'outbound/response-reader.ts #chunks': 'one response, which whoever inspects it bounds',
  'telemetry/processor-time.ts outer': 'as deep as synchronous calls are nested, and empty between them',
  'telemetry/metrics.ts names': 'at most 200 operations, or 500 servers, and then "other"',
};

/** A table that lives as long as its module, its object or the service that a factory creates. */
interface Table {
  name: string;
  isConstant: boolean;
}

const TABLE =
  /^( {0,2})(?:export )?(?:const|let|readonly|static|private|#)[\w$#: <>,|[\]{}()=?."'-]*?([#\w$]+)(?:: [^=]+(?:=>[^=]+)*)? = (?:new (?:Map|Set)\b(.*)|\[\];)/;

/** Functions that create something that outlives the call. */
const FACTORY = /^(?:export )?(?:async )?function (?:create|use|open|connect|start|listen|follow)/;

function listTables({ text }: SourceFile): Table[] {
  const lines = text.split('\n');
  let opener = '';
  return lines.flatMap((line): Table[] => {
    if (/^\S/.test(line) && !/^[})\]]/.test(line)) opener = line;
    const [, indent, name = '', rest = ''] = TABLE.exec(line) ?? [];
    if (indent === undefined) return [];
    const isLongLived = indent === '' || /^(?:export )?(?:abstract )?class /.test(opener) || FACTORY.test(opener);
    if (!isLongLived) return [];
    const isChanged = new RegExp(`(?<![\\w$])(?:this\\.)?${name}\\.(?:set|add|push|delete|clear)\\(`).test(text);
    const isEmpty = rest.startsWith('()') || /^<[^(]*>\(\)/.test(rest);
    return [{ name, isConstant: !isChanged && (!isEmpty || /^[A-Z_]+$/.test(name)) }];
  });
}

const sources = await readSources(fileURLToPath(new URL('../src/', import.meta.url)));

const listChanging = (source: SourceFile): string[] =>
  listTables(source)
    .filter(({ isConstant }) => !isConstant)
    .map(({ name }) => `${source.name} ${name}`);

test('each long-lived table belongs to a cache, or has a bound that is stated here', () => {
  expect(sources.flatMap(listChanging).sort()).toEqual(Object.keys(BOUNDS).sort());
});

test('only the caches themselves create caches without the list, and every limit of a cache is used', () => {
  const text = (names: RegExp) => sources.filter(({ name }) => names.test(name)).map((each) => each.text);
  const alone = sources
    .filter((source) => /new (?:BoundedMap|PromiseCache)\b/.test(source.text))
    .map(({ name }) => name);
  // Its own status is listed by whoever creates it.
  expect(alone.sort()).toEqual(['cache/caches.ts', 'cache/promise-cache.ts', 'outbound/private-hosts.ts']);
  const elsewhere = text(/^(?!limits\/)/).join('\n');
  const unused = Object.keys(CACHE_BOUNDS).filter((key) => !elsewhere.includes(`CACHE_BOUNDS.${key}`));
  expect(unused).toEqual([]);
  expect(elsewhere).not.toMatch(/\bmaxEntries: \d/);
});

test.each([
  ['a Map of a module', 'const seen = new Map<string, number>();\nexport function add() {\n  seen.set("a", 1);\n}'],
  [
    'a Set of a factory',
    'export function createX() {\n  const seen = new Set<string>();\n  return { add: () => seen.add("a") };\n}',
  ],
  ['a Map with a type', 'const seen: Map<string, () => void> = new Map();'],
  ['a Set that begins full', "const seen = new Set(['a']);\nseen.add('b');"],
  ['a field of a class', 'export class X {\n  readonly seen = new Map<string, number>();\n}'],
  ['a list of a factory', 'export function createX() {\n  let seen: string[] = [];\n  return () => seen.push("a");\n}'],
])('%s is found', (_name, text) => {
  expect(listChanging({ name: 'x.ts', text, lines: 1 })).toEqual(['x.ts seen']);
});

test.each([
  ['a constant', "const KNOWN: ReadonlySet<string> = new Set(['a']);"],
  ['an empty constant', 'export const NOTHING: ReadonlyMap<string, string> = new Map();'],
  ['a local table', 'export function toX() {\n  const seen = new Set<string>();\n  seen.add("a");\n}'],
])('%s is not', (_name, text) => {
  expect(listChanging({ name: 'x.ts', text, lines: 1 })).toEqual([]);
});
