import { MCP_LIMITS } from '../../limits/mcp-limits.ts';

const SCHEME = 'gatehouse://';
/** The end of a URI that was not encoded: it begins with a scheme. */
const PLAIN = /^[a-z][a-z0-9+.-]*:/i;

/** The URI of a resource at a door of several servers: `gatehouse://<slug>/<URI at the server, encoded>`. */
export function toDoorUri(slug: string, uri: string): string {
  return `${SCHEME}${slug}/${encodeURIComponent(uri)}`;
}

/**
 * The template of such URIs. It is not encoded: a client puts values into it that are encoded already, and those of the
 * server's own template must come out.
 */
export function toDoorTemplate(slug: string, template: string): string {
  return `${SCHEME}${slug}/${template}`;
}

/** What a URI of a door means. Undefined if it is none. */
export function readDoorUri(uri: string): { slug: string; uri: string } | undefined {
  if (uri.length > MCP_LIMITS.askedUri.value) return undefined;
  const [, slug, rest] = /^gatehouse:\/\/([^/]+)\/(.+)$/is.exec(uri) ?? [];
  if (slug === undefined || rest === undefined) return undefined;
  if (PLAIN.test(rest)) return { slug, uri: rest };
  try {
    return { slug, uri: decodeURIComponent(rest) };
  } catch {
    return undefined;
  }
}

type Json = Readonly<Record<string, unknown>>;

/** The content of a resource, with URIs as the door has them. */
export function withReadUris(result: Json, toUri: (uri: string) => string): Json {
  return { ...result, contents: asList(result['contents']).map((each) => withUri(each, toUri)) };
}

/** A result of a tool, with the URIs of the resources that it has or links to as the door has them. */
export function withToolUris(result: Json, toUri: (uri: string) => string): Json {
  if (!Array.isArray(result['content'])) return result;
  return { ...result, content: result['content'].map((block) => withBlockUri(block, toUri)) };
}

/** A prompt, likewise. */
export function withPromptUris(result: Json, toUri: (uri: string) => string): Json {
  const messages = asList(result['messages']).map((message) => {
    if (!isObject(message)) return message;
    const { content } = message;
    const changed = Array.isArray(content)
      ? content.map((block) => withBlockUri(block, toUri))
      : withBlockUri(content, toUri);
    return { ...message, content: changed };
  });
  return { ...result, messages };
}

function withBlockUri(block: unknown, toUri: (uri: string) => string): unknown {
  if (!isObject(block)) return block;
  if (block['type'] === 'resource_link') return withUri(block, toUri);
  if (block['type'] !== 'resource') return block;
  return { ...block, resource: withUri(block['resource'], toUri) };
}

function withUri(value: unknown, toUri: (uri: string) => string): unknown {
  return isObject(value) && typeof value['uri'] === 'string' ? { ...value, uri: toUri(value['uri']) } : value;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
