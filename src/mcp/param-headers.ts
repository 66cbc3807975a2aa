/** The keyword of a schema that names a header (MCP 2026-07-28, "Custom Headers from Tool Parameters"). */
export const HEADER_KEYWORD = 'x-mcp-header';

const PREFIX = 'Mcp-Param-';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);
/** Printable ASCII and tabs, not at the ends, and not in the form of an encoded value. */
const PLAIN = /^(?!=\?base64\?.*\?=$)(?![\t ])[\t\x20-\x7e]*(?<![\t ])$/s;

interface Declaration {
  path: readonly string[];
  header: string;
}

/**
 * Finds the arguments that a schema wants in headers, too. Only along `properties`: anywhere else the keyword makes the
 * definition invalid. Does not recurse and follows no `$ref`.
 *
 * @returns undefined if the schema breaks the rules, so that the tool must not be used
 */
function readDeclarations(schema: unknown): Declaration[] | undefined {
  const found: Declaration[] = [];
  const names = new Set<string>();
  const rest: { node: unknown; path: readonly string[] | undefined }[] = [{ node: schema, path: [] }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { node, path } = next;
    if (typeof node !== 'object' || node === null) continue;
    if (Object.hasOwn(node, HEADER_KEYWORD)) {
      const { [HEADER_KEYWORD]: header, type } = node as Record<string, unknown>;
      const isNamed = typeof header === 'string' && TOKEN.test(header);
      if (path === undefined || path.length === 0 || !isNamed || !TYPES.has(type)) return undefined;
      if (names.has(header.toLowerCase())) return undefined;
      names.add(header.toLowerCase());
      found.push({ path, header });
    }
    for (const [key, child] of Object.entries(node)) {
      if (DATA.has(key)) continue;
      const isReached = path !== undefined && key === 'properties' && !Array.isArray(node);
      if (!isReached || typeof child !== 'object' || child === null) rest.push({ node: child, path: undefined });
      else for (const [name, property] of Object.entries(child)) rest.push({ node: property, path: [...path, name] });
    }
  }
  return found;
}

/** Keywords whose values are no schemas. */
const DATA: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples', 'required']);

/** Whether a schema wants arguments in headers against the rules. */
export function breaksHeaderRules(schema: unknown): boolean {
  return readDeclarations(schema) === undefined;
}

/**
 * The headers that repeat arguments of a call where the tool's schema wants it. An argument that is absent or null has none.
 * What is no plain text is in Base64.
 */
export function toParamHeaders(schema: unknown, args: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = (readDeclarations(schema) ?? []).flatMap(({ path, header }) => {
    const value = path.reduce<unknown>(
      (node, name) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, name)
          ? (node as Record<string, unknown>)[name]
          : undefined,
      args,
    );
    const text = toText(value);
    return text === undefined ? [] : [[`${PREFIX}${header}`, encode(text)] as const];
  });
  return Object.fromEntries(entries);
}

function toText(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  return Number.isSafeInteger(value) ||
    (typeof value === 'number' && !Number.isInteger(value) && Number.isFinite(value))
    ? String(value)
    : undefined;
}

function encode(text: string): string {
  return PLAIN.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}
