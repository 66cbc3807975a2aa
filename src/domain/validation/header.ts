import type { Issues } from './issues.ts';

type Path = readonly (string | number)[];

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Headers that belong to the connection (RFC 9110, section 7.6.1), to HTTP itself, or to MCP's transports. Some of them
 * would break every request: the HTTP client refuses `Expect`, and servers wait for the body that `Content-Length` or
 * `Transfer-Encoding` announces, or answer only a part (`Range`) or nothing (`If-…`).
 */
const RESERVED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
  'expect',
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'range',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'accept',
  'accept-encoding',
  'last-event-id',
]);

/** Whether the connection or MCP itself sets the header, so that nobody else can. */
export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED.has(lower) || lower.startsWith('mcp-');
}

/** Reports a name that is not a valid header name or that the gateway sets itself. */
export function checkHeaderName(issues: Issues, path: Path, name: string): void {
  if (!TOKEN.test(name) || name.length > 128) {
    issues.add(
      path,
      'INVALID_HEADER_NAME',
      'Is not a valid header name: use letters, digits and "-", at most 128 characters.',
    );
    return;
  }
  if (isReservedHeader(name)) {
    issues.add(
      path,
      'RESERVED_HEADER_NAME',
      `"${name}" belongs to the connection, to HTTP or to MCP itself; remove it.`,
    );
  }
}

/** Reports a value that would break out of its header line. The value may be a secret, so it is not repeated. */
export function checkHeaderValue(issues: Issues, path: Path, value: string): void {
  // RFC 9110, section 5.5: visible characters, space, tab and obs-text. Characters above one byte cannot be sent.
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    const message =
      'Contains a line break, another control character, or a character that HTTP headers do not allow; remove it.';
    issues.add(path, 'INVALID_HEADER_VALUE', message);
  }
}
