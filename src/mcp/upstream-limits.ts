import { MCP_LIMITS } from '../limits/mcp-limits.ts';

// What bounds the work for upstream servers. Times are in milliseconds, sizes in bytes.

/** Connecting and listing all tools. */
export const LIST_TIMEOUT_MS = MCP_LIMITS.listTime.value;
/** Connecting, before a call. */
export const CONNECT_TIMEOUT_MS = MCP_LIMITS.connectTime.value;
/** One tool call, if the operator sets nothing else. */
export const CALL_TIMEOUT_MS = MCP_LIMITS.callTime.value;
/** The longest silence within a response. */
export const MAX_SILENCE_MS = MCP_LIMITS.silence.value;

/** One response, if the operator sets nothing else. */
export const MAX_ANSWER_BYTES = MCP_LIMITS.answer.value;
/** All pages of a list of tools. */
export const MAX_LIST_BYTES = MCP_LIMITS.list.value;
/** What the lists that are received at once may have together. */
export const MAX_LISTS_BYTES = MCP_LIMITS.listsAtOnce.value;
/** The response to a message that needs no answer. */
export const MAX_NOTICE_BYTES = MCP_LIMITS.notice.value;
/** What a server may send while it tells that its tools changed. */
export const MAX_LISTEN_BYTES = MCP_LIMITS.listenBytes.value;
/** How long a server is heard before that begins again. */
export const LISTEN_MS = MCP_LIMITS.listenTime.value;
/** How deep the JSON of a response may nest. Deeper ones are not parsed. */
export const MAX_ANSWER_DEPTH = MCP_LIMITS.answerDepth.value;

/** Tools of one server. */
export const MAX_TOOLS = MCP_LIMITS.tools.value;
/** Pages of one list. */
export const MAX_PAGES = MCP_LIMITS.pages.value;
/** One tool definition as JSON. */
export const MAX_DEFINITION_BYTES = MCP_LIMITS.definition.value;
/** How deep a tool definition may nest. */
export const MAX_DEFINITION_DEPTH = MCP_LIMITS.definitionDepth.value;
/** A tool's name, in UTF-16 code units. */
export const MAX_NAME_LENGTH = MCP_LIMITS.nameOnTheWire.value;
/** What a server says about itself: its name and version, in UTF-16 code units. */
export const MAX_SERVER_NAME_LENGTH = MCP_LIMITS.serverName.value;
/** A server's instructions, in UTF-16 code units. */
export const MAX_INSTRUCTIONS_LENGTH = MCP_LIMITS.instructions.value;

/** Operations at once for one server and user. */
export const MAX_RUNNING = MCP_LIMITS.running.value;
/** Operations that wait for one of them to end. */
export const MAX_WAITING = MCP_LIMITS.waiting.value;
/** Requests of a server to the gateway, such as pings, during one operation. */
export const MAX_INBOUND_REQUESTS = MCP_LIMITS.requestsOfServer.value;

/** Connections in the pool, in use or not. */
export const MAX_CONNECTIONS = MCP_LIMITS.connections.value;
/** Connections without an operation. Above this, those that were not used for the longest time are closed. */
export const MAX_IDLE_CONNECTIONS = MCP_LIMITS.idleConnections.value;
/** A connection without an operation is closed after this time. */
export const IDLE_MS = 60_000;
/** A stream that a server ended is opened again after this time at the earliest. It doubles with each time. */
export const MIN_REOPEN_MS = 150;
/** The longest such time. */
export const MAX_REOPEN_MS = 60_000;
/** It is short again when nothing was opened again for so long. */
export const CALM_MS = 10_000;
/** Ending a session at a server. */
export const END_SESSION_TIMEOUT_MS = 2_000;

/** Failures in a row after which a server is left alone. */
export const MAX_FAILURES = MCP_LIMITS.failures.value;
/** The first time that a server is left alone. It doubles with each further failure. */
export const MIN_PAUSE_MS = 30_000;
/** The longest time that a server is left alone. */
export const MAX_PAUSE_MS = MCP_LIMITS.longestPause.value;

/** Servers whose protocol revision or failures are remembered. */
export const MAX_REMEMBERED = MCP_LIMITS.remembered.value;
/** How long a server counts as one that speaks only older revisions. It may be upgraded. */
export const LEGACY_VERDICT_MS = 3_600_000;

/**
 * A connection is made anew after so many operations. Each leaves a few dozen bytes at signals that live as long as the
 * connection: `AbortSignal.any` of Node 20 forgets none of its results at its sources, and the SDK uses it, too.
 */
export const RENEW_AFTER_USES = 5_000;
