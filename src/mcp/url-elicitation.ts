import { MCP_LIMITS } from '../limits/mcp-limits.ts';

/** A page that a server wants its user to open before it does what was asked. All of it is the server's own. */
export interface UrlElicitation {
  /** `http` or `https`, without a user and a password, in ASCII. */
  readonly url: string;
  /** Why, in the words of the server. */
  readonly message: string;
  /** What the server calls it. */
  readonly elicitationId: string;
}

/** JSON-RPC's code for "the user has to open a page first" (MCP 2025-11-25, "URL Elicitation Required Error"). */
export const URL_ELICITATION_REQUIRED = -32_042;

/** A text without what could make it look like another, or like two. */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]+/gu;

/**
 * Reads the data of such an error. Nothing in it is trusted: what a browser should not open, and what is too long, is left
 * out.
 */
export function readUrlElicitations(data: unknown): UrlElicitation[] {
  const { elicitations } = (data ?? {}) as { elicitations?: unknown };
  if (!Array.isArray(elicitations)) return [];
  return elicitations.slice(0, MCP_LIMITS.elicitations.value).flatMap((each) => readOne(each) ?? []);
}

function readOne(value: unknown): UrlElicitation | undefined {
  const { mode, url, message, elicitationId } = (value ?? {}) as Record<string, unknown>;
  if (mode !== 'url' || typeof message !== 'string') return undefined;
  if (typeof elicitationId !== 'string' || elicitationId === '') return undefined;
  if (elicitationId.length > MCP_LIMITS.elicitationId.value || !elicitationId.isWellFormed()) return undefined;
  const address = toAddress(url);
  if (address === undefined) return undefined;
  const words = message.toWellFormed().replace(HIDDEN, ' ').trim().slice(0, MCP_LIMITS.elicitationMessage.value);
  return { url: address, message: words.toWellFormed(), elicitationId };
}

/** The address as a browser understands it, so that a person sees where it leads. */
function toAddress(url: unknown): string | undefined {
  if (typeof url !== 'string' || url.length > MCP_LIMITS.elicitationUrl.value) return undefined;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) return undefined;
  if (parsed.username !== '' || parsed.password !== '') return undefined;
  return parsed.href.length > MCP_LIMITS.elicitationUrl.value ? undefined : parsed.href;
}
