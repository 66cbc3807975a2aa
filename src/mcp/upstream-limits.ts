// What bounds the work for upstream servers. Times are in milliseconds, sizes in bytes.

/** Connecting and listing all tools. */
export const LIST_TIMEOUT_MS = 10_000;
/** Connecting, before a call. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** One tool call, if the operator sets nothing else. */
export const CALL_TIMEOUT_MS = 60_000;
/** The longest silence within a response. */
export const MAX_SILENCE_MS = 30_000;

/** One response, if the operator sets nothing else. */
export const MAX_ANSWER_BYTES = 4 * 1_024 * 1_024;
/** All pages of a list of tools. */
export const MAX_LIST_BYTES = 16 * 1_024 * 1_024;
/** The response to a message that needs no answer. */
export const MAX_NOTICE_BYTES = 64 * 1_024;
/** How deep the JSON of a response may nest. Deeper ones are not parsed. */
export const MAX_ANSWER_DEPTH = 512;

/** Tools of one server. */
export const MAX_TOOLS = 1_000;
/** Pages of one list. */
export const MAX_PAGES = 100;
/** One tool definition as JSON. */
export const MAX_DEFINITION_BYTES = 256 * 1_024;
/** How deep a tool definition may nest. */
export const MAX_DEFINITION_DEPTH = 64;
/** A tool's name, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 1_024;
/** What a server says about itself: its name and version, in UTF-16 code units. */
export const MAX_SERVER_NAME_LENGTH = 200;
/** A server's instructions, in UTF-16 code units. */
export const MAX_INSTRUCTIONS_LENGTH = 16_384;

/** Operations at once for one server and user. */
export const MAX_RUNNING = 16;
/** Operations that wait for one of them to end. */
export const MAX_WAITING = 64;
/** Requests of a server to the gateway, such as pings, during one operation. */
export const MAX_INBOUND_REQUESTS = 100;

/** Connections in the pool, in use or not. */
export const MAX_CONNECTIONS = 1_000;
/** Connections without an operation. Above this, those that were not used for the longest time are closed. */
export const MAX_IDLE_CONNECTIONS = 100;
/** A connection without an operation is closed after this time. */
export const IDLE_MS = 60_000;
/** Ending a session at a server. */
export const END_SESSION_TIMEOUT_MS = 2_000;

/** Failures in a row after which a server is left alone. */
export const MAX_FAILURES = 3;
/** The first time that a server is left alone. It doubles with each further failure. */
export const MIN_PAUSE_MS = 30_000;
/** The longest time that a server is left alone. */
export const MAX_PAUSE_MS = 300_000;

/** Servers whose protocol revision or failures are remembered. */
export const MAX_REMEMBERED = 2_000;
/** How long a server counts as one that speaks only older revisions. It may be upgraded. */
export const LEGACY_VERDICT_MS = 3_600_000;
